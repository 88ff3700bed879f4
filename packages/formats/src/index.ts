export { ByteReader } from "./byte-reader.ts";
