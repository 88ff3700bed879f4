import { z } from "zod";
import type { LabImage } from "./image-server.ts";

/** In the order in which they are started. */
export const CONTROL_PLANE_PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
export type ControlPlaneProgram = (typeof CONTROL_PLANE_PROGRAMS)[number];
/** The path of each program. */
export type ClusterPrograms = Readonly<Record<ControlPlaneProgram | "kubeadm" | "kubectl", string>>;

/** What a lab remembers about its cluster, beside the keys and files in its directory. */
export type ClusterState = {
  /** Kubernetes' version, with its v. */
  readonly version: string;
  readonly programs: ClusterPrograms;
  readonly images: readonly LabImage[];
  /** Of 127.0.0.1, as the machines' 10.0.2.2 is. Both are in the nodes' measured configuration: they never change. */
  readonly apiPort: number;
  readonly imagePort: number;
};

const MAX_IMAGES = 64;
const port: z.ZodType<number> = z.int().min(1).max(65_535);

export const clusterState: z.ZodType<ClusterState> = z.strictObject({
  version: z.string().regex(/^v\d{1,3}\.\d{1,3}\.\d{1,3}$/u),
  programs: z.strictObject({
    etcd: z.string(),
    "kube-apiserver": z.string(),
    "kube-controller-manager": z.string(),
    "kube-scheduler": z.string(),
    kubeadm: z.string(),
    kubectl: z.string(),
  }),
  images: z.array(z.strictObject({ reference: z.string(), layout: z.string() })).max(MAX_IMAGES),
  apiPort: port,
  imagePort: port,
});
