import { isAws, isTrue, isUnknown, list, record, Rule } from "./model";

/** Brokers' logs, Elasticsearch's indices and the nodes' own disks. */
export const noPlainVolume: Rule = {
  kind: "resource",
  name: "no-plain-volume",
  description: "Every disk is encrypted: of nodes, and of what the storage classes make.",
  level: "mandatory",
  check(resource) {
    const { props, type } = resource;
    if (isAws(resource, "ebs", "Volume")) {
      return encrypted(props.encrypted) ? [] : ["encrypted is not true: set it"];
    }
    if (isAws(resource, "ec2", "LaunchTemplate")) {
      const devices = list(props.blockDeviceMappings);
      if (isUnknown(props.blockDeviceMappings)) {
        return [];
      }
      if (devices.length === 0) {
        return [
          "blockDeviceMappings is empty: the node's disk would be as the image has it; list it with ebs.encrypted true",
        ];
      }
      return devices.flatMap((device, index) =>
        encrypted(record(record(device).ebs).encrypted)
          ? []
          : [`blockDeviceMappings[${index}].ebs.encrypted is not true: set it`],
      );
    }
    if (isAws(resource, "eks", "NodeGroup") && list(props.launchTemplate).length === 0) {
      return [
        "has no launchTemplate: the disks of its nodes would not be encrypted; give it one with ebs.encrypted true",
      ];
    }
    if (
      /^kubernetes:storage\.k8s\.io\/v1:StorageClass$/.test(type) &&
      props.provisioner === "ebs.csi.aws.com"
    ) {
      const parameters = record(props.parameters);
      return [
        ...(encrypted(parameters.encrypted)
          ? []
          : [
              'parameters.encrypted is not "true": the volumes of the brokers would lie in clear; set it',
            ]),
        ...(parameters.type === "gp3" || isUnknown(parameters.type)
          ? []
          : [
              `parameters.type is ${String(parameters.type ?? "not set")}: it must be gp3; gp2's throughput shrinks with the disk`,
            ]),
      ];
    }
    return [];
  },
};

/** Secrets of the cluster hold Elasticsearch's password and, by choice, S3 keys. */
export const eksSecretsEncrypted: Rule = {
  kind: "resource",
  name: "eks-secrets-encrypted",
  description: "Secrets of an EKS cluster are encrypted with a key of ours.",
  level: "mandatory",
  check(resource) {
    if (!isAws(resource, "eks", "Cluster") || isUnknown(resource.props.encryptionConfig)) {
      return [];
    }
    const { resources, provider } = record(resource.props.encryptionConfig);
    const key = record(provider).keyArn;
    return list(resources).includes("secrets") && (isUnknown(key) || Boolean(key))
      ? []
      : [
          'encryptionConfig does not cover secrets: set resources ["secrets"] and provider.keyArn; it cannot be taken back, and can be added to a running cluster',
        ];
  },
};

function encrypted(value: unknown): boolean {
  return isTrue(value) || isUnknown(value);
}
