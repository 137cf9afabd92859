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
  const { credentials, region } = session.settings;
  const curl = `curl${signIn(credentials?.[region].management.authorization)} -X ${method}`;
  if (!isKubernetesUrl(management)) {
    return `${curl} ${management}${path}`;
  }
  const { cluster, namespace, kind, name, port } = parseKubernetesAddress(management);
  const kubectl =
    cluster.kind === "eks"
      ? `aws eks update-kubeconfig --region ${cluster.awsRegion} --name ${cluster.cluster} && kubectl`
      : `kubectl --context '${cluster.context}'`;
  return `${kubectl} -n ${namespace} port-forward ${kind}/${name} ${LOCAL_PORT}:${port}, and beside it ${curl} http://localhost:${LOCAL_PORT}${path}`;
}

/** With what curl signs in: it asks for a password by itself, and a token is in the shell of the operator. */
function signIn(authorization: string | undefined): string {
  const [scheme, value = ""] = authorization?.split(" ") ?? [];
  switch (scheme) {
    case undefined:
      return "";
    case "Basic":
      return ` -u ${quoted(Buffer.from(value, "base64").toString().split(":")[0] ?? "")}`;
    default:
      return ` -H "Authorization: ${scheme} $TOKEN"`;
  }
}

/** As a shell takes it, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
