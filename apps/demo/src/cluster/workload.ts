/** Of the image in every lab's cluster, with a shell and a web server. */
export const IMAGE = "registry.example.org/busybox:1.37";
/** The one NodePort of a lab's cluster that can be asked from this computer. */
const NODE_PORT = 30_080;

export const WORKLOAD = "web";

/**
 * Two pods, one on each node while that is possible, of which one is always there: the budget lets a drained node's pod go
 * only when the other is ready. A pod that is told to end goes on for a while, so that no node still sends requests to it. It has no
 * volume: nobody has to say that one may be lost.
 */
export const WORKLOAD_MANIFEST: string = `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${WORKLOAD}}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${WORKLOAD}}}
  template:
    metadata: {labels: {app: ${WORKLOAD}}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 60
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: ${WORKLOAD}}}}
      containers:
        - name: ${WORKLOAD}
          image: ${IMAGE}
          command: [sh, -c, "hostname >/dev/shm/index.html && exec busybox httpd -f -p 8080 -h /dev/shm"]
          readinessProbe: {httpGet: {port: 8080}, timeoutSeconds: 30}
          lifecycle: {preStop: {sleep: {seconds: 30}}}
---
apiVersion: v1
kind: Service
metadata: {name: ${WORKLOAD}}
spec:
  type: NodePort
  selector: {app: ${WORKLOAD}}
  ports: [{port: 80, targetPort: 8080, nodePort: ${NODE_PORT}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: ${WORKLOAD}}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: ${WORKLOAD}}}
`;
