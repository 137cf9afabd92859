import { RealKubernetesWorld } from "../../world/scenes/realKubernetesWorld";
import type { ClusterShape } from "../../world/world";
import { InstalledSite } from "./installedSite";
import { KUBERNETES_TRAITS } from "./platforms";
import type { Site } from "./site";

/** Two clusters that are there, with real API servers, in which the program installs Camunda by the real provider. */
export function realKubernetesSite(shape: Partial<ClusterShape> = {}): Site {
  return new InstalledSite(new RealKubernetesWorld({ shape }), KUBERNETES_TRAITS);
}
