import { overlap } from "../../components/base/cidr";
import { Corefile } from "../kubernetes/played/corefile";
import { type Properties, record } from "../pulumi/properties";
import { addImplicitSecurityGroup } from "./filters";
import { managedPoliciesOf, trustsService } from "./iam";
import { arn, jsonObject, lookup, records, ResourceType, Scope, strings } from "./resourceType";
import { AwsError, Item } from "./state";
import {
  ACCESS_ENTRY,
  ACCESS_POLICY_ASSOCIATION,
  ADDON,
  CLUSTER,
  KMS_KEY,
  LAUNCH_TEMPLATE,
  NAT_GATEWAY,
  NODE_GROUP,
  ROLE,
  ROUTE_TABLE,
  ROUTE_TABLE_ASSOCIATION,
  SECURITY_GROUP,
  SUBNET,
  VPC,
} from "./tokens";

const CLUSTER_POLICY = "AmazonEKSClusterPolicy";

/** The role that a service takes for itself. */
function serviceRole(scope: Scope, roleArn: unknown, service: string): Item {
  const role = lookup(scope, ROLE, String(roleArn));
  if (role === undefined || !trustsService(role, service)) {
    throw new AwsError(
      "InvalidParameterException",
      `Role with arn: ${String(roleArn)}, could not be assumed because it does not exist or the trusted entity is not correct (${service})`,
    );
  }
  return role;
}

const cluster: ResourceType = {
  autoname: { property: "name", max: 100 },
  defaults: { bootstrapSelfManagedAddons: true },
  replaces: [
    "name",
    "roleArn",
    "bootstrapSelfManagedAddons",
    "kubernetesNetworkConfig.serviceIpv4Cidr",
    "accessConfig.bootstrapClusterCreatorAdminPermissions",
  ],
  kept: ["kubernetesNetworkConfig", "accessConfig", "version"],
  computed: [
    "arn",
    "certificateAuthority",
    "createdAt",
    "endpoint",
    "identities",
    "status",
    "vpcConfig.clusterSecurityGroupId",
    "vpcConfig.vpcId",
  ],
  names: {
    roleArn: ROLE,
    "vpcConfig.subnetIds": SUBNET,
    "encryptionConfig.provider.keyArn": KMS_KEY,
  },
  unique: ["ResourceInUseException", "name"],
  async create(scope, inputs) {
    const name = String(inputs.name);
    const role = serviceRole(scope, inputs.roleArn, "eks.amazonaws.com");
    if (!managedPoliciesOf(scope.aws, role).includes(CLUSTER_POLICY)) {
      throw new AwsError(
        "InvalidParameterException",
        `role ${role.id} has no ${CLUSTER_POLICY}: the cluster could not make its network interfaces`,
      );
    }
    const vpcId = vpcOf(scope, inputs);
    const given = record(inputs.kubernetesNetworkConfig);
    const serviceCidr = String(given.serviceIpv4Cidr ?? "172.20.0.0/16");
    const vpcCidr = String(scope.aws.find(VPC, scope.region, vpcId)?.inputs.cidrBlock);
    if (overlap(serviceCidr, vpcCidr)) {
      throw new AwsError(
        "InvalidParameterException",
        `The service CIDR ${serviceCidr} overlaps with the VPC's ${vpcCidr}`,
      );
    }
    const version = String(inputs.version ?? "1.35");
    const { endpoint, certificateAuthority } = await scope.aws.hooks.onCluster(scope.region, {
      name,
      version,
      serviceCidr,
    });
    const id = scope.aws.newId("").toUpperCase().padEnd(32, "0");
    const issuer = `https://oidc.eks.${scope.region}.amazonaws.com/id/${id}`;
    const groupName = `eks-cluster-sg-${name}-${id.slice(0, 8)}`;
    return {
      id: name,
      outputs: {
        arn: arn(scope, "eks", `cluster/${name}`),
        certificateAuthority: { data: certificateAuthority },
        createdAt: new Date().toISOString(),
        endpoint,
        identities: [{ oidcs: [{ issuer }] }],
        status: "ACTIVE",
        version,
        kubernetesNetworkConfig: { ...given, serviceIpv4Cidr: serviceCidr, ipFamily: "ipv4" },
        vpcConfig: {
          ...record(inputs.vpcConfig),
          vpcId,
          clusterSecurityGroupId: addImplicitSecurityGroup(scope, vpcId, groupName),
        },
      },
    };
  },
  update(_scope, item, inputs) {
    const { vpcId, clusterSecurityGroupId } = record(item.outputs.vpcConfig);
    return {
      vpcConfig: { ...record(inputs.vpcConfig), vpcId, clusterSecurityGroupId },
      kubernetesNetworkConfig: item.outputs.kubernetesNetworkConfig,
    };
  },
  async delete(scope, item) {
    const role = lookup(scope, ROLE, String(item.inputs.roleArn));
    if (role === undefined || !managedPoliciesOf(scope.aws, role).includes(CLUSTER_POLICY)) {
      throw new AwsError(
        "DependencyViolation",
        `the role of ${item.id} lost ${CLUSTER_POLICY} before it: the cluster's network interfaces stay behind`,
      );
    }
    await scope.aws.hooks.onClusterDeleted(scope.region, item.id);
    const { clusterSecurityGroupId } = record(item.outputs.vpcConfig);
    const group = scope.aws.find(SECURITY_GROUP, scope.region, clusterSecurityGroupId);
    if (group !== undefined) {
      scope.aws.remove(group);
    }
  },
};

function vpcOf(scope: Scope, inputs: Properties): string {
  const subnets = strings(record(inputs.vpcConfig).subnetIds).map((id) =>
    scope.aws.find(SUBNET, scope.region, id),
  );
  const zones = new Set(subnets.map((subnet) => subnet?.outputs.availabilityZone));
  const [vpcId, another] = new Set(subnets.map((subnet) => String(subnet?.inputs.vpcId)));
  if (zones.size < 2 || vpcId === undefined || another !== undefined) {
    throw new AwsError(
      "InvalidParameterException",
      "Subnets specified must be in at least two different AZs and in one VPC",
    );
  }
  return vpcId;
}

/** Add-ons that a node needs to become ready, where its cluster comes without them. */
function missingAddons(scope: Scope, clusterName: string): string[] {
  const owner = scope.aws.find(CLUSTER, scope.region, clusterName);
  return owner?.inputs.bootstrapSelfManagedAddons !== false
    ? []
    : ["vpc-cni", "kube-proxy"].filter(
        (name) => scope.aws.find(ADDON, scope.region, `${clusterName}:${name}`) === undefined,
      );
}

/** Whether instances in a subnet reach ECR and EKS: by a default route to a gateway that is there. */
function hasWayOut(scope: Scope, subnetId: string): boolean {
  const association = scope.aws
    .list(ROUTE_TABLE_ASSOCIATION, scope.region)
    .find(({ inputs }) => inputs.subnetId === subnetId);
  const table = scope.aws.find(ROUTE_TABLE, scope.region, association?.inputs.routeTableId);
  return records(table?.inputs.routes).some(
    (route) =>
      route.cidrBlock === "0.0.0.0/0" &&
      (route.gatewayId !== undefined ||
        scope.aws.find(NAT_GATEWAY, scope.region, route.natGatewayId) !== undefined),
  );
}

const nodeGroup: ResourceType = {
  autoname: { property: "nodeGroupName", max: 63 },
  replaces: [
    "clusterName",
    "nodeGroupName",
    "nodeGroupNamePrefix",
    "nodeRoleArn",
    "subnetIds",
    "amiType",
    "capacityType",
    "diskSize",
    "instanceTypes",
    "launchTemplate.id",
    "launchTemplate.name",
  ],
  kept: ["version", "releaseVersion", "instanceTypes"],
  sets: ["subnetIds"],
  computed: ["arn", "resources", "status"],
  names: {
    clusterName: CLUSTER,
    nodeRoleArn: ROLE,
    subnetIds: SUBNET,
    "launchTemplate.id": LAUNCH_TEMPLATE,
  },
  unique: ["ResourceInUseException", "clusterName", "nodeGroupName"],
  create(scope, inputs) {
    const { clusterName, nodeGroupName, nodeRoleArn } = inputs;
    serviceRole(scope, nodeRoleArn, "ec2.amazonaws.com");
    const missing = missingAddons(scope, String(clusterName)).map((name) => `add-on ${name}`);
    const shut = strings(inputs.subnetIds).filter((id) => !hasWayOut(scope, id));
    const lacking = [...missing, ...shut.map((id) => `a way out of ${id}`)];
    if (lacking.length > 0) {
      throw new Error(
        `waiting for EKS Node Group create: unexpected state 'CREATE_FAILED': NodeCreationFailure: Instances failed to join the kubernetes cluster, missing: ${lacking.join("; ")}`,
      );
    }
    const name = `eks-${String(nodeGroupName)}-${scope.aws.newId("")}`;
    return {
      id: `${String(clusterName)}:${String(nodeGroupName)}`,
      outputs: {
        arn: arn(scope, "eks", `nodegroup/${String(clusterName)}/${String(nodeGroupName)}`),
        status: "ACTIVE",
        version: inputs.version ?? "1.35",
        resources: [{ autoscalingGroups: [{ name }], remoteAccessSecurityGroupId: "" }],
      },
    };
  },
};

const addon: ResourceType = {
  replaces: ["clusterName", "addonName"],
  kept: ["addonVersion", "configurationValues"],
  computed: ["arn", "addonVersion", "createdAt", "modifiedAt"],
  changing: ["modifiedAt"],
  names: { clusterName: CLUSTER, serviceAccountRoleArn: ROLE },
  within: "clusterName",
  unique: ["ResourceInUseException", "clusterName", "addonName"],
  async create(scope, inputs) {
    await activate(scope, inputs);
    const id = `${String(inputs.clusterName)}:${String(inputs.addonName)}`;
    const now = new Date().toISOString();
    return {
      id,
      outputs: {
        arn: arn(scope, "eks", `addon/${id.replace(":", "/")}`),
        addonVersion: inputs.addonVersion ?? "v1.0.0-eksbuild.1",
        createdAt: now,
        modifiedAt: now,
      },
    };
  },
  async update(scope, _item, inputs) {
    await activate(scope, inputs);
    return { modifiedAt: new Date().toISOString() };
  },
};

async function activate(scope: Scope, inputs: Properties): Promise<void> {
  const [owner, name] = [String(inputs.clusterName), String(inputs.addonName)];
  const configuration = jsonObject(inputs.configurationValues);
  const degraded = (why: string) => {
    throw new Error(
      `waiting for EKS Add-On (${name}): timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED'): ${why}`,
    );
  };
  if (name === "coredns" && configuration.corefile !== undefined) {
    const parsed = new Corefile(String(configuration.corefile));
    for (const plugin of ["ready", "health"]) {
      if (!parsed.has(plugin)) {
        degraded(`the Corefile has no "${plugin}": the pods are probed there`);
      }
    }
  }
  const nodes = scope.aws.list(NODE_GROUP, scope.region);
  if (
    ["coredns", "aws-ebs-csi-driver"].includes(name) &&
    !nodes.some((group) => group.inputs.clusterName === owner)
  ) {
    degraded("InsufficientNumberOfReplicas: the cluster has no nodes");
  }
  await scope.aws.hooks.onAddon(scope.region, owner, name, configuration);
}

const accessEntry: ResourceType = {
  defaults: { type: "STANDARD" },
  replaces: ["clusterName", "principalArn", "type"],
  kept: ["userName", "kubernetesGroups"],
  computed: ["accessEntryArn", "createdAt", "modifiedAt", "userName"],
  names: { clusterName: CLUSTER },
  within: "clusterName",
  unique: ["ResourceInUseException", "clusterName", "principalArn"],
  create(scope, inputs) {
    const [owner, principal] = [String(inputs.clusterName), String(inputs.principalArn)];
    const now = new Date().toISOString();
    return {
      id: `${owner}:${principal}`,
      outputs: {
        accessEntryArn: arn(scope, "eks", `access-entry/${owner}/${scope.aws.newId("")}`),
        createdAt: now,
        modifiedAt: now,
        userName: principal,
      },
    };
  },
};

const accessPolicyAssociation: ResourceType = {
  replaces: ["clusterName", "principalArn", "policyArn", "accessScope"],
  computed: ["associatedAt", "modifiedAt"],
  names: { clusterName: CLUSTER },
  within: "clusterName",
  create(scope, { clusterName, principalArn, policyArn }) {
    const entry = `${String(clusterName)}:${String(principalArn)}`;
    if (scope.aws.find(ACCESS_ENTRY, scope.region, entry) === undefined) {
      throw new AwsError(
        "ResourceNotFoundException",
        `The specified principalArn could not be found. You can view your available access entries with 'list-access-entries': ${entry}`,
      );
    }
    const now = new Date().toISOString();
    return {
      id: [clusterName, principalArn, policyArn].join("#"),
      outputs: { associatedAt: now, modifiedAt: now },
    };
  },
};

/** EKS clusters of a region. */
export const EKS_TYPES: Record<string, ResourceType> = {
  [CLUSTER]: cluster,
  [NODE_GROUP]: nodeGroup,
  [ADDON]: addon,
  [ACCESS_ENTRY]: accessEntry,
  [ACCESS_POLICY_ASSOCIATION]: accessPolicyAssociation,
};
