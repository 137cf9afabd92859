import { EksWorld } from "../../world/scenes/eksWorld";
import { KubernetesWorld } from "../../world/scenes/kubernetesWorld";
import { RealKubernetesWorld } from "../../world/scenes/realKubernetesWorld";
import type { ClusterShape } from "../../world/world";
import { InstalledSite, PlatformTraits } from "./installedSite";
import type { Site } from "./site";

/** What two clusters that are there have of their own. */
const KUBERNETES_TRAITS: PlatformTraits = {
  platform: "kubernetes",
  failoverChanges: ["create kubernetes:networking.k8s.io/v1:NetworkPolicy"],
  // It and its component.
  fenceGoes: 2,
  rebuildNeedsSurvivor: false,
};

/** Two clusters that are there, in which the program installs Camunda. */
export function kubernetesSite(shape: Partial<ClusterShape> = {}): Site {
  return new InstalledSite(new KubernetesWorld({ shape }), KUBERNETES_TRAITS);
}

/** The same with real API servers, by the real provider. */
export function realKubernetesSite(shape: Partial<ClusterShape> = {}): Site {
  return new InstalledSite(new RealKubernetesWorld({ shape }), KUBERNETES_TRAITS);
}

/** Two regions of an AWS account in which nothing is yet. */
export function eksSite(shape: Partial<ClusterShape> = {}): Site {
  return new InstalledSite(new EksWorld({ shape }), {
    platform: "eks",
    failoverChanges: ["update aws:ec2/networkAcl:NetworkAcl", "update aws:eks/addon:Addon"],
    // Its rules are kept, and opened.
    fenceGoes: 0,
    rebuildNeedsSurvivor: true,
  });
}
