import { Provider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import {
  camundaIn,
  InstalledOutputs,
  InstalledRegion,
  InstalledRegionArgs,
  dnsFirst,
} from "../installedRegion";
import type { KubernetesSettings } from "../../settings";
import type { CamundaRelease } from "./camundaRelease";
import { KubernetesDnsChaining } from "./dnsChaining";
import { CamundaNamespace } from "./namespace";
import { KubernetesPeerFence } from "./peerFence";
import { PROVIDER } from "./provider";

/**
 * One region in a cluster that is there already (GKE, AKS, OpenShift, on-premises), named by a context of
 * the kubeconfig. Owns what is inside: names, fence, Elasticsearch, Camunda. Network and bucket are given.
 */
export class KubernetesRegion extends pulumi.ComponentResource implements InstalledRegion {
  readonly before: pulumi.Resource[];
  readonly camunda: CamundaRelease;
  readonly outputs: InstalledOutputs;

  constructor(name: string, args: InstalledRegionArgs & { cluster: KubernetesSettings }) {
    const { settings, cluster } = args;
    const fenced = args.fence === "closed";
    const { region } = settings;
    const { namespaces } = settings.installation;
    const provider = new Provider(`${name}-kubernetes`, {
      context: cluster.contexts[region],
      ...PROVIDER,
    });
    super("camunda8:region:KubernetesRegion", name, {}, { providers: [provider] });
    const parent = { parent: this };

    const namespace = new CamundaNamespace(
      `${name}-namespace`,
      { name: namespaces[region] },
      parent,
    );
    const dns = new KubernetesDnsChaining(
      `${name}-dns`,
      { kubernetes: cluster, region, namespaces, fenced },
      parent,
    );
    // Policies add up, so it is there only while a loss is declared: closed, then opened, then gone. Also
    // when the declaration was taken back: it would go last, after what needs it open.
    const fence =
      args.fence !== undefined || args.recorded.fenceClosed === true
        ? new KubernetesPeerFence(
            `${name}-fence`,
            {
              kubernetes: cluster,
              region,
              namespace: namespace.name,
              state: fenced ? "closed" : "opened",
            },
            { parent: this, dependsOn: [...args.first, ...dnsFirst(fenced, dns)] },
          ).resources
        : [];
    ({ before: this.before, camunda: this.camunda } = camundaIn(name, args, {
      options: parent,
      namespace: namespace.name,
      after: [],
      dns,
      fence,
    }));
    this.outputs = {};
    this.registerOutputs(this.outputs);
  }

  afterRecovery(): pulumi.Resource[] {
    // How users reach a cluster that is given is not this program's: hooks tell whoever decides it.
    return [];
  }
}
