import { isKubernetesUrl, parseKubernetesAddress } from "../../base/kubernetesAddress";
import type { Session } from "../session";

/** The port of the operator's own machine that a command is given to forward. */
const LOCAL_PORT = 9600;

/**
 * The command by which an operator sends a request to the management API of the surviving region himself, when
 * the program must not decide on it. Where that API is reached through Kubernetes, with the port-forward first.
 */
export function byHand(session: Session, method: "DELETE" | "POST", path: string): string {
  const { management } = session.zeebe.endpoints;
  if (!isKubernetesUrl(management)) {
    return `curl -X ${method} ${management}${path}`;
  }
  const { cluster, namespace, kind, name, port } = parseKubernetesAddress(management);
  const kubectl =
    cluster.kind === "eks"
      ? `aws eks update-kubeconfig --region ${cluster.awsRegion} --name ${cluster.cluster} && kubectl`
      : `kubectl --context '${cluster.context}'`;
  return `${kubectl} -n ${namespace} port-forward ${kind}/${name} ${LOCAL_PORT}:${port}, and beside it curl -X ${method} http://localhost:${LOCAL_PORT}${path}`;
}
