import { RegionName, REGIONS } from "../base/brokers";
import { isRecord } from "../base/json";
import type { InstallationKey as Key, KubernetesSettings } from "./types";
import { byRegion, readCidrs } from "./regions";
import type { Reader } from "./reader";

/** Reads what is said of two clusters that are there, and collects in `read` what is wrong with it. */
export function readKubernetes(read: Reader<Key>): KubernetesSettings {
  const contexts = byRegion(read, "contexts", { region0: "", region1: "" });
  for (const region of REGIONS) {
    if (contexts[region] === "") {
      read.wrong(
        `contexts.${region}`,
        "is missing: the context of that region's cluster in your kubeconfig (kubectl config get-contexts)",
      );
    }
  }
  if (contexts.region0 !== "" && contexts.region0 === contexts.region1) {
    read.wrong("contexts", `are both ${contexts.region0}: each region has its own cluster`);
  }
  const given = read.object("dns") ?? {};
  const kind = String(given.kind ?? "coredns");
  if (!["coredns", "coredns-custom", "kube-dns", "none"].includes(kind)) {
    read.wrong(
      "dns.kind",
      `is "${kind}": coredns, coredns-custom, kube-dns, or none where names resolve already`,
    );
  }
  const addresses = isRecord(given.addresses) ? given.addresses : {};
  const addressesOf = (region: RegionName): string[] => {
    const list = addresses[region];
    const good =
      Array.isArray(list) &&
      list.length > 0 &&
      list.every((address) => /^\d{1,3}(\.\d{1,3}){3}$/.test(String(address)));
    if (!good && kind !== "none") {
      read.wrong(
        `dns.addresses.${region}`,
        "must be a list of the fixed internal addresses of that region's DNS entry point, so that a recreated region answers at the same",
      );
    }
    return good ? list.map(String) : [];
  };
  const cidrs = readCidrs(read, {}, ["nodes", "pods", "services"]);
  return {
    kind: "kubernetes",
    contexts,
    cidrs: cidrs as KubernetesSettings["cidrs"],
    dns: {
      kind: kind as KubernetesSettings["dns"]["kind"],
      addresses: { region0: addressesOf("region0"), region1: addressesOf("region1") },
      annotations: isRecord(given.annotations)
        ? Object.fromEntries(Object.entries(given.annotations).map(([k, v]) => [k, String(v)]))
        : {},
    },
  };
}
