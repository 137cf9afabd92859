import type { CorefileBlockInputs } from "../../installation/kubernetes/corefileBlock";
import { ConfigMapClient } from "../../clients/configMap";
import { parseKubernetesAddress } from "../../base/kubernetesAddress";
import { Refusal } from "../../base/refusal";
import { blockIn, patchCorefile } from "../../installation/kubernetes/corefile";
import { readCorefile } from "../../installation/kubernetes/corefileText";
import type { Session } from "../session";
import { implement } from "./behaviour";

const NAMESPACE = "kube-system";
const NAME = "coredns";
const KEY = "Corefile";

/** Times that a change is made anew because somebody else has changed the ConfigMap in between. */
const ATTEMPTS = 5;

/**
 * A block in a Corefile that is not ours. A ConfigMap's value is one text for Kubernetes: a resource of it
 * would own all of it, and deleting that would leave the cluster without DNS. This one reads it, changes what
 * is between our marks, and writes it back only if nobody else has in between.
 */
export const provider = implement<CorefileBlockInputs>({
  id: () => "corefile-block",
  async converge(inputs, { session, begin }) {
    const changed = await change(session, inputs.block, begin);
    return {
      how: changed ? "done" : "already true",
      observed: { configMap: `${NAMESPACE}/${NAME}`, lines: inputs.block.split("\n").length - 1 },
    };
  },
  async live(_inputs, session) {
    const found = await configMaps(session).read(NAME);
    return { block: blockIn(found?.data?.[KEY] ?? "") ?? "" };
  },
  async release(_inputs, session) {
    await change(session, undefined, () => undefined);
  },
});

function configMaps({ settings }: Session): ConfigMapClient {
  const { cluster } = parseKubernetesAddress(settings.endpoints[settings.region].elasticsearch);
  return new ConfigMapClient(cluster, NAMESPACE, settings.timeouts.request * 1000);
}

/** Puts the block in, or takes ours out; whether there was anything to do. */
async function change(
  session: Session,
  block: string | undefined,
  begin: () => void,
): Promise<boolean> {
  const client = configMaps(session);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await client.read(NAME);
    const existing = found?.data?.[KEY];
    if (found === undefined || existing === undefined) {
      if (block === undefined) {
        return false;
      }
      throw new Refusal(
        `there is no ${KEY} in ConfigMap ${NAMESPACE}/${NAME}: set dns.kind to what resolves DNS here (kube-dns, or none: forward it yourself)`,
      );
    }
    const wanted = patchCorefile(existing, block);
    if (block !== undefined) {
      expectLoaded(wanted);
    }
    if (wanted === existing) {
      return false;
    }
    begin();
    if (await client.replace(NAME, { ...found, data: { ...found.data, [KEY]: wanted } })) {
      session.log(
        `Corefile of ${session.settings.region}: block of the other region's DNS names ${block === undefined ? "taken out" : "written"}`,
      );
      return true;
    }
  }
  throw new Refusal(
    `ConfigMap ${NAMESPACE}/${NAME} is written by somebody else all the time: find out who (kubectl get cm ${NAME} -n ${NAMESPACE} --show-managed-fields -o yaml)`,
  );
}

/** A change that is not loaded would be found out when a region is lost. */
function expectLoaded(corefile: string): void {
  const { servers, imports } = readCorefile(corefile);
  if (imports.some((files) => files.endsWith("*.server"))) {
    throw new Refusal(
      `the Corefile in ConfigMap ${NAMESPACE}/${NAME} is the provider's own, and imports yours: set dns.kind to coredns-custom`,
    );
  }
  const directives = servers.flatMap((server) => server.directives);
  if (!directives.some(({ name }) => name === "reload")) {
    throw new Refusal(
      `the Corefile in ConfigMap ${NAMESPACE}/${NAME} has no reload: add a line "reload" to its first server and restart CoreDNS once`,
    );
  }
}
