import type * as pulumi from "@pulumi/pulumi";
import { awsProvider } from "../../../../components/installation/eks/provider";
import { EksDnsChaining } from "../../../../components/installation/eks/dnsChaining";
import { EksCluster } from "../../../../components/installation/eks/eksCluster";
import { EksPeerFence } from "../../../../components/installation/eks/peerFence";
import {
  RegionNetwork,
  RegionNetworkArgs,
} from "../../../../components/installation/eks/regionNetwork";
import type { RegionName } from "../../../../components/base/brokers";
import type { EksSettings } from "../../../../components/settings";
import { eksSettings } from "./declared";

/** What differs between the scenes. */
export interface SceneArgs {
  eks?: Partial<EksSettings>;
  region?: RegionName;
  peer?: RegionNetworkArgs["peer"];
}

/** Options that hand a stack's own provider down, as a region does. */
export function ownProvider(eks: EksSettings, region: RegionName) {
  const provider = awsProvider("aws", eks, region);
  return { provider, options: { providers: [provider] } satisfies pulumi.ComponentResourceOptions };
}

/** A region's network. */
export function networkOf({ eks, region = "region0", peer = {} }: SceneArgs = {}) {
  const settings = eksSettings(eks);
  const { options } = ownProvider(settings, region);
  const network = new RegionNetwork("net", { eks: settings, region, peer }, options);
  return { eks: settings, region, options, network };
}

/** Network and cluster. */
export function clusterOf(args: SceneArgs = {}) {
  const scene = networkOf(args);
  const { eks, region, network, options } = scene;
  return { ...scene, cluster: new EksCluster("eks", { eks, region, network }, options) };
}

/** Network, cluster and the names of the other region. */
export function chainedOf(args: SceneArgs = {}) {
  const scene = clusterOf(args);
  const { eks, region, network, cluster, options } = scene;
  const dns = new EksDnsChaining(
    "names",
    { eks, region, network, cluster, corefile: ".:53 {\n    ready\n}\n" },
    options,
  );
  return { ...scene, dns };
}

/** Network and fence. */
export function fencedOf(args: SceneArgs & { fenced: boolean }) {
  const scene = networkOf(args);
  const { eks, region, network, options } = scene;
  return {
    ...scene,
    fence: new EksPeerFence("fence", { eks, region, network, fenced: args.fenced }, options),
  };
}
