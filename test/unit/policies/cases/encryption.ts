import { UNKNOWN } from "../../../../policies/rules/model";
import { RuleCases, resource, cluster } from "../resources";

/** Of the rules in policies/rules/encryption.ts, by name. */
export const ENCRYPTION: Record<string, RuleCases> = {
  "no-plain-volume": {
    breaks: [
      ["a volume", [resource("aws:ebs/volume:Volume", { size: 8 })], /encrypted is not true/],
      [
        "a template that leaves the disk to the image",
        [resource("aws:ec2/launchTemplate:LaunchTemplate", {})],
        /blockDeviceMappings is empty/,
      ],
      [
        "the second disk of a template",
        [
          resource("aws:ec2/launchTemplate:LaunchTemplate", {
            blockDeviceMappings: [{ ebs: { encrypted: "true" } }, { ebs: { encrypted: "false" } }],
          }),
        ],
        /blockDeviceMappings\[1\]\.ebs\.encrypted is not true/,
      ],
      [
        "a node group without a template",
        [resource("aws:eks/nodeGroup:NodeGroup", { diskSize: 20 })],
        /has no launchTemplate/,
      ],
      [
        "a storage class that does not encrypt",
        [
          resource("kubernetes:storage.k8s.io/v1:StorageClass", {
            provisioner: "ebs.csi.aws.com",
            parameters: { type: "gp3" },
          }),
        ],
        /parameters\.encrypted is not "true"/,
      ],
      [
        "a storage class of gp2",
        [
          resource("kubernetes:storage.k8s.io/v1:StorageClass", {
            provisioner: "ebs.csi.aws.com",
            parameters: { type: "gp2", encrypted: "true" },
          }),
        ],
        /parameters\.type is gp2/,
      ],
    ],
    keeps: [
      ["an encrypted volume", [resource("aws:ebs/volume:Volume", { encrypted: true })]],
      [
        "a template with encrypted disks, and its node group",
        [
          resource("aws:ec2/launchTemplate:LaunchTemplate", {
            blockDeviceMappings: [{ ebs: { encrypted: "true" } }],
          }),
          resource("aws:eks/nodeGroup:NodeGroup", {
            launchTemplate: { id: UNKNOWN, version: "1" },
          }),
        ],
      ],
      [
        "an encrypted storage class",
        [
          resource("kubernetes:storage.k8s.io/v1:StorageClass", {
            provisioner: "ebs.csi.aws.com",
            parameters: { type: "gp3", encrypted: "true" },
          }),
        ],
      ],
    ],
  },
  "eks-secrets-encrypted": {
    breaks: [
      ["no encryption", [cluster({})], /does not cover secrets/],
      [
        "no key",
        [cluster({ encryptionConfig: { resources: ["secrets"], provider: {} } })],
        /does not cover secrets/,
      ],
      [
        "something else encrypted",
        [cluster({ encryptionConfig: { resources: [], provider: { keyArn: "arn" } } })],
        /does not cover secrets/,
      ],
    ],
    keeps: [
      [
        "secrets with a key",
        [cluster({ encryptionConfig: { resources: ["secrets"], provider: { keyArn: "arn" } } })],
      ],
      [
        "a key that is made in the same run",
        [cluster({ encryptionConfig: { resources: ["secrets"], provider: { keyArn: UNKNOWN } } })],
      ],
    ],
  },
};
