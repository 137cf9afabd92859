import { DEFAULT_VERSION } from "../../components/generations";
import type { EmbeddedWorldOptions } from "../../world/camunda/embedded";
import { DIALECTS } from "../../world/camunda/embedded/dialect";
import { EksWorld } from "../../world/scenes/eksWorld";
import type { InstallableWorld } from "../../world/scenes/installableWorld";
import { KubernetesWorld } from "../../world/scenes/kubernetesWorld";
import { RealKubernetesWorld } from "../../world/scenes/realKubernetesWorld";
import type { ClusterShape } from "../../world/world";
import { InstalledSite, PlatformTraits } from "./installedSite";
import type { Site } from "./scene";

/** Of which generation and size a site is. */
export interface SiteOptions {
  camundaVersion?: string;
  shape?: Partial<ClusterShape>;
}

function installed(
  { camundaVersion = DEFAULT_VERSION, shape }: SiteOptions,
  make: (options: EmbeddedWorldOptions) => InstallableWorld,
  traits: PlatformTraits,
): Site {
  const dialect = DIALECTS[camundaVersion];
  return new InstalledSite(make({ shape, dialect }), camundaVersion, traits);
}

/** What two clusters that are there have of their own. */
const KUBERNETES_TRAITS: PlatformTraits = {
  platform: "kubernetes",
  failoverChanges: ["create kubernetes:networking.k8s.io/v1:NetworkPolicy"],
  // It and its component.
  fenceGoes: 2,
  rebuildNeedsSurvivor: false,
};

/** Two clusters that are there, in which the program installs Camunda. */
export function kubernetesSite(options: SiteOptions = {}): Site {
  return installed(options, (world) => new KubernetesWorld(world), KUBERNETES_TRAITS);
}

/** The same with real API servers, by the real provider. */
export function realKubernetesSite(options: SiteOptions = {}): Site {
  return installed(options, (world) => new RealKubernetesWorld(world), KUBERNETES_TRAITS);
}

/** Two regions of an AWS account in which nothing is yet. */
export function eksSite(options: SiteOptions = {}): Site {
  return installed(options, (world) => new EksWorld(world), {
    platform: "eks",
    failoverChanges: ["update aws:ec2/networkAcl:NetworkAcl", "update aws:eks/addon:Addon"],
    // Its rules are kept, and opened.
    fenceGoes: 0,
    rebuildNeedsSurvivor: true,
  });
}
