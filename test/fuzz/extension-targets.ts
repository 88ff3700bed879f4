/** Extension images, from the partition table to the files inside, and what they are made of. */
import { X509Certificate } from "node:crypto";
import {
  Layers,
  parseGoSums,
  parseImageIndex,
  parseImageManifest,
  parseRecipe,
  planConfext,
} from "@ashlar/extensions/parsers";
import { openDdiData, parseDdi, readTar, verifyRootHashSignature } from "@ashlar/formats";
import { parseBehaviour, readExtension } from "@ashlar/protocol";
import * as seeds from "./seeds.ts";
import type { Target } from "./target.ts";

const SIGNER = new X509Certificate(seeds.vector("ddi/signer.crt"));
/** Mutations of the 1 MB between would be wasted. */
const KEPT_BYTES = 64 * 1024;
const whole = seeds.ddi();
const ends = Buffer.concat([whole.subarray(0, KEPT_BYTES), whole.subarray(-KEPT_BYTES)]);

/** Everything that is asked of an image; wrong hashes do not end it, or hardly a mutation would get far. */
function readDdi(bytes: Uint8Array): unknown {
  const middle = Math.max(0, whole.length - ends.length);
  const cut = Math.min(KEPT_BYTES, bytes.length);
  const image = Buffer.concat([bytes.subarray(0, cut), Buffer.alloc(middle), bytes.subarray(cut)]);
  const read = (offset: number, size: number): Uint8Array => image.subarray(offset, offset + size);
  const ddi = parseDdi(read, image.length);
  verifyRootHashSignature(ddi.signed, [SIGNER]);
  const { offsetBytes, sizeBytes } = ddi.data;
  readExtension((offset, size) => read(offsetBytes + offset, size), sizeBytes);
  return openDdiData(ddi, read).findDamagedBlocks(4);
}

const DIGEST = `sha256:${"ab".repeat(32)}`;
const DESCRIPTOR = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: DIGEST, size: 1 };
const PLATFORM = { os: "linux", architecture: "amd64" };
const INDEX = { schemaVersion: 2, manifests: [{ ...DESCRIPTOR, platform: PLATFORM }] };
const MANIFEST = { schemaVersion: 2, layers: [DESCRIPTOR] };
const CONFEXT = {
  ignition: { version: "3.3.0" },
  storage: {
    files: [{ path: "/etc/a", contents: { source: "data:,a" }, mode: 420 }],
    links: [{ path: "/etc/b", target: "a" }],
  },
  systemd: { units: [{ name: "a.service", enabled: true, contents: "[Install]\nWantedBy=multi-user.target\n" }] },
};

export const EXTENSION_TARGETS: readonly Target[] = [
  { name: "ddi", seeds: [ends], parse: readDdi },
  {
    name: "extension-behaviour",
    seeds: [
      seeds.text('{"replaces":["/usr/bin/a"],"restart":["a.service"],"healthCheck":"/usr/lib/ashlar/health.d/a"}'),
    ],
    parse: ofText(parseBehaviour),
  },
  {
    name: "tar",
    seeds: [seeds.tar()],
    parse: (bytes) => {
      const layers = new Layers();
      layers.add(readTar((offset, size) => bytes.subarray(offset, offset + size), bytes.length));
      return layers.nodes();
    },
  },
  { name: "oci-index", seeds: [seeds.text(JSON.stringify(INDEX))], parse: ofText(parseImageIndex) },
  { name: "oci-manifest", seeds: [seeds.text(JSON.stringify(MANIFEST))], parse: ofText(parseImageManifest) },
  { name: "recipe", seeds: seeds.recipes(), parse: ofText(parseRecipe) },
  {
    name: "go-sums",
    seeds: [seeds.text(`k8s.io/kubernetes v1.33.5 h1:${"A".repeat(43)}=\n`)],
    parse: ofText((text) => parseGoSums(text, "sums")),
  },
  { name: "confext-config", seeds: [seeds.text(JSON.stringify(CONFEXT))], parse: planConfext },
];

function ofText(parse: (text: string) => unknown): Target["parse"] {
  return (bytes) => parse(Buffer.from(bytes).toString("utf8"));
}
