/** The program of a lab's name server. Its one argument is the port. It works until it is ended. */
import { HostResolver } from "./host-resolver.ts";
import { startNameServer } from "./name-server.ts";

await startNameServer(Number(process.argv[2]), new HostResolver());
