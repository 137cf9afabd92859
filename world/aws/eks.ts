import { overlap, parseCidr } from "../../components/base/cidr";
import { isRecord } from "../../components/base/json";
import { Corefile } from "../kubernetes/played/corefile";
import { type Properties, record } from "../pulumi/properties";
import {
  addImplicitSecurityGroup,
  LAUNCH_TEMPLATE,
  NAT_GATEWAY,
  ROUTE_TABLE,
  ROUTE_TABLE_ASSOCIATION,
  SUBNET,
  VPC,
} from "./ec2";
import { findRole, managedPoliciesOf, trustsService } from "./iam";
import { arn, jsonObject, need, records, ResourceType, Scope, strings, text } from "./resourceType";
import { AwsError, Item } from "./state";

/** Type token of Cluster. */
export const CLUSTER = "aws:eks/cluster:Cluster";
/** Type token of NodeGroup. */
export const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";
/** Type token of Addon. */
export const ADDON = "aws:eks/addon:Addon";
/** Type token of AccessEntry. */
export const ACCESS_ENTRY = "aws:eks/accessEntry:AccessEntry";
/** Type token of AccessPolicyAssociation. */
export const ACCESS_POLICY_ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation";

const KMS_KEY = "aws:kms/key:Key";

function clusterOf(scope: Scope, name: unknown): Item {
  const cluster = scope.aws.find(CLUSTER, scope.region, name);
  if (cluster === undefined) {
    throw new AwsError("ResourceNotFoundException", `No cluster found for name: ${String(name)}.`);
  }
  return cluster;
}

function serviceRole(scope: Scope, roleArn: unknown, service: string): Item {
  const role = findRole(scope.aws, roleArn);
  if (role === undefined || role.outputs.arn !== roleArn || !trustsService(role, service)) {
    throw new AwsError(
      "InvalidParameterException",
      `Role with arn: ${String(roleArn)}, could not be assumed because it does not exist or the trusted entity is not correct (${service})`,
    );
  }
  return role;
}

function subnetsOf(scope: Scope, given: unknown): Item[] {
  return strings(given).map((id) => need(scope, SUBNET, id, "InvalidParameterException"));
}

const cluster: ResourceType = {
  required: ["roleArn", "vpcConfig"],
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
    "clusterId",
    "createdAt",
    "endpoint",
    "identities",
    "platformVersion",
    "status",
    "vpcConfig.clusterSecurityGroupId",
    "vpcConfig.vpcId",
  ],
  *check(inputs) {
    const name = text(inputs, "name");
    if (name !== undefined && !/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/.test(name)) {
      yield `"name": "${name}" must be letters, digits, "-" and "_", 100 at most`;
    }
    const { authenticationMode } = record(inputs.accessConfig);
    if (
      typeof authenticationMode === "string" &&
      !["API", "API_AND_CONFIG_MAP", "CONFIG_MAP"].includes(authenticationMode)
    ) {
      yield `"accessConfig.authenticationMode": "${authenticationMode}" is not API, API_AND_CONFIG_MAP or CONFIG_MAP`;
    }
    const { resources, provider } = record(inputs.encryptionConfig);
    if (isRecord(inputs.encryptionConfig) && strings(resources).join() !== "secrets") {
      yield `"encryptionConfig.resources": must be ["secrets"]`;
    }
    if (isRecord(inputs.encryptionConfig) && record(provider).keyArn === undefined) {
      yield `"encryptionConfig.provider.keyArn": is required`;
    }
    const service = text(record(inputs.kubernetesNetworkConfig), "serviceIpv4Cidr");
    const bits = service === undefined ? 16 : (parseCidr(service)?.bits ?? 0);
    if (
      service !== undefined &&
      (bits < 12 || bits > 24 || !/^(10\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.)/.test(service))
    ) {
      yield `"kubernetesNetworkConfig.serviceIpv4Cidr": ${service} must be a private /12 to /24`;
    }
    const config = record(inputs.vpcConfig);
    if (config.endpointPublicAccess === false && config.endpointPrivateAccess !== true) {
      yield '"vpcConfig.endpointPublicAccess": public and private access cannot both be off';
    }
  },
  async create(scope, inputs) {
    const name = String(inputs.name);
    if (scope.aws.find(CLUSTER, scope.region, name) !== undefined) {
      throw new AwsError("ResourceInUseException", `Cluster already exists with name: ${name}`);
    }
    const version = String(inputs.version ?? "1.35");
    if (!/^1\.(2[89]|3[0-5])$/.test(version)) {
      throw new AwsError("InvalidParameterException", `unsupported Kubernetes version ${version}`);
    }
    const role = serviceRole(scope, inputs.roleArn, "eks.amazonaws.com");
    if (!managedPoliciesOf(scope.aws, role).includes("AmazonEKSClusterPolicy")) {
      throw new AwsError(
        "InvalidParameterException",
        `role ${role.id} has no AmazonEKSClusterPolicy: the cluster could not make its network interfaces`,
      );
    }
    const { vpcId } = checkSubnets(scope, inputs);
    const vpc = need(scope, VPC, vpcId, "InvalidParameterException");
    const serviceCidr =
      text(record(inputs.kubernetesNetworkConfig), "serviceIpv4Cidr") ?? "172.20.0.0/16";
    if (overlap(serviceCidr, String(vpc.inputs.cidrBlock))) {
      throw new AwsError(
        "InvalidParameterException",
        `The service CIDR ${serviceCidr} overlaps with the VPC's ${String(vpc.inputs.cidrBlock)}`,
      );
    }
    checkKey(scope, inputs);
    const { endpoint, certificateAuthority } = await scope.aws.hooks.onCluster(scope.region, {
      name,
      version,
      serviceCidr,
    });
    const id = scope.aws.newId("").toUpperCase().padEnd(32, "0");
    const issuer = `https://oidc.eks.${scope.region}.amazonaws.com/id/${id}`;
    return {
      id: name,
      outputs: {
        arn: arn(scope, "eks", `cluster/${name}`),
        certificateAuthority: { data: certificateAuthority },
        createdAt: new Date().toISOString(),
        endpoint,
        identities: [{ oidcs: [{ issuer }] }],
        platformVersion: "eks.1",
        status: "ACTIVE",
        version,
        kubernetesNetworkConfig: {
          ...record(inputs.kubernetesNetworkConfig),
          serviceIpv4Cidr: serviceCidr,
          ipFamily: "ipv4",
        },
        vpcConfig: {
          ...record(inputs.vpcConfig),
          vpcId,
          clusterSecurityGroupId: addImplicitSecurityGroup(
            scope,
            vpcId,
            `eks-cluster-sg-${name}-${id.slice(0, 8)}`,
          ),
        },
      },
    };
  },
  update(scope, item, inputs) {
    const mode = (properties: Properties) => record(properties.accessConfig).authenticationMode;
    const order = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"];
    if (order.indexOf(String(mode(inputs))) < order.indexOf(String(mode(item.inputs)))) {
      throw new AwsError(
        "InvalidParameterException",
        `the authentication mode cannot go back from ${String(mode(item.inputs))} to ${String(mode(inputs))}`,
      );
    }
    const key = (properties: Properties) =>
      record(record(properties.encryptionConfig).provider).keyArn;
    if (key(item.inputs) !== undefined && key(inputs) !== key(item.inputs)) {
      throw new AwsError(
        "InvalidRequestException",
        "the key of the secrets cannot be changed once it is set",
      );
    }
    checkSubnets(scope, inputs);
    checkKey(scope, inputs);
    const old = record(item.outputs.vpcConfig);
    return {
      vpcConfig: {
        ...record(inputs.vpcConfig),
        vpcId: old.vpcId,
        clusterSecurityGroupId: old.clusterSecurityGroupId,
      },
      kubernetesNetworkConfig: item.outputs.kubernetesNetworkConfig,
    };
  },
  async delete(scope, item) {
    const groups = scope.aws
      .list(NODE_GROUP, scope.region)
      .filter(({ inputs }) => inputs.clusterName === item.id);
    if (groups.length > 0) {
      throw new AwsError(
        "ResourceInUseException",
        `Cluster has nodegroups attached: ${groups.map(({ id }) => id).join(", ")}`,
      );
    }
    const role = findRole(scope.aws, item.inputs.roleArn);
    if (
      role === undefined ||
      !managedPoliciesOf(scope.aws, role).includes("AmazonEKSClusterPolicy")
    ) {
      throw new AwsError(
        "DependencyViolation",
        `the role of ${item.id} lost AmazonEKSClusterPolicy before it: the cluster's network interfaces stay behind`,
      );
    }
    await scope.aws.hooks.onClusterDeleted(scope.region, item.id);
    const group = scope.aws.find(
      "aws:ec2/securityGroup:SecurityGroup",
      scope.region,
      record(item.outputs.vpcConfig).clusterSecurityGroupId,
    );
    if (group !== undefined) {
      scope.aws.remove(group);
    }
    for (const type of [ADDON, ACCESS_ENTRY, ACCESS_POLICY_ASSOCIATION]) {
      scope.aws
        .list(type, scope.region)
        .filter(({ inputs }) => inputs.clusterName === item.id)
        .forEach((one) => scope.aws.remove(one));
    }
  },
};

function checkSubnets(scope: Scope, inputs: Properties): { vpcId: string } {
  const subnets = subnetsOf(scope, record(inputs.vpcConfig).subnetIds);
  const vpcs = new Set(subnets.map(({ inputs: { vpcId } }) => String(vpcId)));
  const zones = new Set(subnets.map(({ outputs }) => outputs.availabilityZone));
  const [vpcId] = vpcs;
  if (zones.size < 2 || vpcs.size !== 1 || vpcId === undefined) {
    throw new AwsError(
      "InvalidParameterException",
      `Subnets specified must be in at least two different AZs and in one VPC, not in ${zones.size} and ${vpcs.size}`,
    );
  }
  return { vpcId };
}

function checkKey(scope: Scope, inputs: Properties): void {
  const { keyArn } = record(record(inputs.encryptionConfig).provider);
  if (keyArn !== undefined) {
    const known = scope.aws
      .list(KMS_KEY, scope.region)
      .some(({ outputs }) => outputs.arn === keyArn);
    if (!known) {
      throw new AwsError("InvalidParameterException", `The key ${String(keyArn)} does not exist`);
    }
  }
}

/** Whether the program's cluster comes without the add-ons that a node needs to become ready. */
function missingAddons(scope: Scope, owner: Item): string[] {
  if (owner.inputs.bootstrapSelfManagedAddons !== false) {
    return [];
  }
  return ["vpc-cni", "kube-proxy"].filter(
    (name) => scope.aws.find(ADDON, scope.region, `${owner.id}:${name}`) === undefined,
  );
}

/** Whether instances in a subnet reach ECR and EKS: by a default route to a gateway that is there. */
function hasWayOut(scope: Scope, subnet: Item): boolean {
  const association = scope.aws
    .list(ROUTE_TABLE_ASSOCIATION, scope.region)
    .find(({ inputs }) => inputs.subnetId === subnet.id);
  const table = scope.aws.find(ROUTE_TABLE, scope.region, association?.inputs.routeTableId);
  return records(table?.inputs.routes).some(
    (route) =>
      route.cidrBlock === "0.0.0.0/0" &&
      (route.gatewayId !== undefined ||
        scope.aws.find(NAT_GATEWAY, scope.region, route.natGatewayId) !== undefined),
  );
}

const nodeGroup: ResourceType = {
  required: ["clusterName", "nodeRoleArn", "scalingConfig", "subnetIds"],
  autoname: { property: "nodeGroupName", max: 63, maxPrefix: 37 },
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
  *check(inputs) {
    const { minSize, desiredSize, maxSize } = record(inputs.scalingConfig);
    const sizes = [minSize, desiredSize, maxSize];
    const [min, desired, max] = sizes.map(Number);
    if (
      sizes.every((size) => typeof size === "number") &&
      !(Number(min) <= Number(desired) && Number(desired) <= Number(max))
    ) {
      yield `"scalingConfig": min ${min} <= desired ${desired} <= max ${max} must hold`;
    }
    if (inputs.diskSize !== undefined && inputs.launchTemplate !== undefined) {
      yield '"diskSize": Disk size must be specified within the launch template';
    }
    const template = record(inputs.launchTemplate);
    if (isRecord(inputs.launchTemplate)) {
      if ((template.id === undefined) === (template.name === undefined)) {
        yield '"launchTemplate": one of id and name must be given';
      }
      if (template.version === undefined) {
        yield '"launchTemplate.version": is required';
      }
    }
  },
  create(scope, inputs) {
    const owner = clusterOf(scope, inputs.clusterName);
    const id = `${owner.id}:${String(inputs.nodeGroupName)}`;
    if (scope.aws.find(NODE_GROUP, scope.region, id) !== undefined) {
      throw new AwsError("ResourceInUseException", `NodeGroup already exists with name ${id}`);
    }
    checkNodes(scope, owner, inputs);
    return {
      id,
      outputs: {
        arn: arn(scope, "eks", `nodegroup/${id.replace(":", "/")}/${scope.aws.newId("")}`),
        status: "ACTIVE",
        version: inputs.version ?? owner.outputs.version,
        // Of nodes whose template says it, EKS says nothing.
        instanceTypes:
          inputs.instanceTypes ?? (templateType(scope, inputs) === undefined ? ["t3.medium"] : []),
        resources: [
          {
            autoscalingGroups: [
              { name: `eks-${String(inputs.nodeGroupName)}-${scope.aws.newId("")}` },
            ],
            remoteAccessSecurityGroupId: "",
          },
        ],
      },
    };
  },
  update(scope, item, inputs) {
    const ofTemplate = templateType(scope, inputs) !== undefined;
    if (ofTemplate !== (strings(item.outputs.instanceTypes).length === 0)) {
      throw new AwsError(
        "InvalidRequestException",
        `You must continue to ${ofTemplate ? "not " : ""}specify an instance type within the launch template.`,
      );
    }
    checkNodes(scope, clusterOf(scope, inputs.clusterName), inputs);
  },
};

function checkNodes(scope: Scope, owner: Item, inputs: Properties): void {
  const role = serviceRole(scope, inputs.nodeRoleArn, "ec2.amazonaws.com");
  const policies = managedPoliciesOf(scope.aws, role);
  const registry = ["AmazonEC2ContainerRegistryReadOnly", "AmazonEC2ContainerRegistryPullOnly"];
  const cni = scope.aws.find(ADDON, scope.region, `${owner.id}:vpc-cni`);
  const lacking = [
    ...(policies.includes("AmazonEKSWorkerNodePolicy") ? [] : ["AmazonEKSWorkerNodePolicy"]),
    ...(registry.some((name) => policies.includes(name)) ? [] : [registry.join(" or ")]),
    ...(policies.includes("AmazonEKS_CNI_Policy") || cni?.inputs.serviceAccountRoleArn !== undefined
      ? []
      : ["AmazonEKS_CNI_Policy, or a role of its own for vpc-cni"]),
    ...missingAddons(scope, owner).map((name) => `add-on ${name}`),
  ];
  if (lacking.length > 0) {
    throw new Error(
      `waiting for EKS Node Group create: unexpected state 'CREATE_FAILED': NodeCreationFailure: instances did not become ready, missing: ${lacking.join("; ")}`,
    );
  }
  const shut = subnetsOf(scope, inputs.subnetIds).filter((subnet) => !hasWayOut(scope, subnet));
  if (shut.length > 0) {
    throw new Error(
      `waiting for EKS Node Group create: unexpected state 'CREATE_FAILED': NodeCreationFailure: Instances failed to join the kubernetes cluster: no way out of ${shut.map(({ id }) => id).join(", ")}`,
    );
  }
  const { id, name, version } = record(inputs.launchTemplate);
  if (id !== undefined || name !== undefined) {
    const template = scope.aws
      .list(LAUNCH_TEMPLATE, scope.region)
      .find((item) => item.id === id || item.inputs.name === name);
    const numbered = /^\d+$/.test(String(version));
    if (
      template === undefined ||
      (numbered && Number(version) > Number(template.outputs.latestVersion)) ||
      (!numbered && !["$Latest", "$Default"].includes(String(version)))
    ) {
      throw new AwsError(
        "InvalidParameterException",
        `Launch template ${String(id ?? name)} has no version ${String(version)}`,
      );
    }
  }
  checkInstanceTypes(inputs, templateType(scope, inputs));
}

/** The type of instance that a node group's launch template says. */
function templateType(scope: Scope, inputs: Properties): string | undefined {
  const { id, name } = record(inputs.launchTemplate);
  const template = scope.aws
    .list(LAUNCH_TEMPLATE, scope.region)
    .find((item) => item.id === id || (name !== undefined && item.inputs.name === name));
  return text(template?.inputs ?? {}, "instanceType");
}

function checkInstanceTypes(inputs: Properties, ofTemplate: string | undefined): void {
  const own = strings(inputs.instanceTypes);
  if (ofTemplate !== undefined && own.length > 0) {
    throw new AwsError(
      "InvalidParameterException",
      "You must specify instance types in either the launch template or the API request, not in both",
    );
  }
  const amiType = text(inputs, "amiType") ?? "AL2023_x86_64_STANDARD";
  const wrong = [ofTemplate ?? "", ...own].filter(
    // The g behind the number of the generation is Graviton.
    (type) => /x86_64/.test(amiType) && /^(a1\.|[a-z]+\d+g)/.test(type),
  );
  if (wrong.length > 0) {
    throw new AwsError(
      "InvalidParameterException",
      `[${wrong.join(", ")}] is not a valid instance type for requested amiType ${amiType}`,
    );
  }
}

/** Keys of the configuration of each add-on, as `describe-addon-configuration` has them; those that are used. */
const ADDONS: Record<string, readonly string[]> = {
  coredns: [
    "corefile",
    "replicaCount",
    "resources",
    "autoScaling",
    "tolerations",
    "affinity",
    "nodeSelector",
    "podLabels",
    "podAnnotations",
    "podDisruptionBudget",
    "topologySpreadConstraints",
    "computeType",
  ],
  "vpc-cni": [
    "enableNetworkPolicy",
    "enableWindowsIpam",
    "env",
    "eniConfig",
    "init",
    "nodeAgent",
    "resources",
    "tolerations",
    "affinity",
    "podLabels",
    "podAnnotations",
  ],
  "kube-proxy": ["mode", "ipvs", "resources", "podLabels", "podAnnotations"],
  "aws-ebs-csi-driver": ["controller", "node", "sidecars", "defaultStorageClass"],
  "eks-pod-identity-agent": ["agent", "env", "resources", "tolerations", "affinity"],
};

const addon: ResourceType = {
  required: ["clusterName", "addonName"],
  replaces: ["clusterName", "addonName"],
  kept: ["addonVersion", "configurationValues"],
  computed: ["arn", "addonVersion", "createdAt", "modifiedAt"],
  changing: ["modifiedAt"],
  *check(inputs) {
    const name = text(inputs, "addonName");
    const values = jsonObject(inputs.configurationValues);
    if (name !== undefined && ADDONS[name] === undefined) {
      yield `"addonName": "${name}" is not one of ${Object.keys(ADDONS).join(", ")}`;
    }
    for (const [key, allowed] of [
      ["resolveConflictsOnCreate", ["NONE", "OVERWRITE"]],
      ["resolveConflictsOnUpdate", ["NONE", "OVERWRITE", "PRESERVE"]],
    ] as const) {
      const value = text(inputs, key);
      if (value !== undefined && !(allowed as readonly string[]).includes(value)) {
        yield `"${key}": "${value}" is not ${allowed.join(" or ")}`;
      }
    }
    if (typeof values === "string") {
      yield `"configurationValues" ${values}`;
    }
  },
  async create(scope, inputs) {
    const owner = clusterOf(scope, inputs.clusterName);
    const id = `${owner.id}:${String(inputs.addonName)}`;
    if (scope.aws.find(ADDON, scope.region, id) !== undefined) {
      throw new AwsError("ResourceInUseException", `Addon already exists: ${id}`);
    }
    const configuration = checkAddon(scope, inputs);
    await scope.aws.hooks.onAddon(scope.region, owner.id, String(inputs.addonName), configuration);
    return {
      id,
      outputs: {
        arn: arn(scope, "eks", `addon/${id.replace(":", "/")}/${scope.aws.newId("")}`),
        addonVersion: inputs.addonVersion ?? "v1.0.0-eksbuild.1",
        createdAt: new Date().toISOString(),
        modifiedAt: new Date().toISOString(),
      },
    };
  },
  async update(scope, _item, inputs) {
    const configuration = checkAddon(scope, inputs);
    await scope.aws.hooks.onAddon(
      scope.region,
      String(inputs.clusterName),
      String(inputs.addonName),
      configuration,
    );
    return { modifiedAt: new Date().toISOString() };
  },
};

function checkAddon(scope: Scope, inputs: Properties): Properties {
  const name = String(inputs.addonName);
  const parsed = jsonObject(inputs.configurationValues);
  const configuration = isRecord(parsed) ? parsed : {};
  const unknown = Object.keys(configuration).filter((key) => !ADDONS[name]?.includes(key));
  if (unknown.length > 0) {
    throw new AwsError(
      "InvalidParameterException",
      `ConfigurationValue provided in request is not supported: Json schema validation failed: additional property ${unknown.join(", ")} of ${name}`,
    );
  }
  const wrongType =
    name === "vpc-cni" &&
    configuration.enableNetworkPolicy !== undefined &&
    typeof configuration.enableNetworkPolicy !== "string";
  if (wrongType) {
    throw new AwsError(
      "InvalidParameterException",
      'ConfigurationValue provided in request is not supported: enableNetworkPolicy must be a string ("true")',
    );
  }
  if (inputs.serviceAccountRoleArn !== undefined) {
    const role = findRole(scope.aws, inputs.serviceAccountRoleArn);
    if (role === undefined) {
      throw new AwsError(
        "InvalidParameterException",
        `The role ${String(inputs.serviceAccountRoleArn)} cannot be found`,
      );
    }
  }
  if (name === "coredns" && configuration.corefile !== undefined) {
    checkCorefile(String(configuration.corefile));
  }
  const needsNodes = name === "coredns" || name === "aws-ebs-csi-driver";
  const nodes = scope.aws
    .list(NODE_GROUP, scope.region)
    .some((group) => group.inputs.clusterName === inputs.clusterName);
  if (needsNodes && !nodes) {
    throw new Error(
      `waiting for EKS Add-On (${name}) create: timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED'): InsufficientNumberOfReplicas: the cluster has no nodes`,
    );
  }
  return configuration;
}

/** What keeps CoreDNS from starting, or its pods from getting ready. */
function checkCorefile(corefile: string): void {
  const parsed = new Corefile(corefile);
  for (const plugin of ["ready", "health"]) {
    if (!parsed.has(plugin)) {
      throw new Error(
        `waiting for EKS Add-On (coredns): timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED'): the Corefile has no "${plugin}", the pods are probed there and do not become ready`,
      );
    }
  }
}

const accessEntry: ResourceType = {
  required: ["clusterName", "principalArn"],
  defaults: { type: "STANDARD" },
  replaces: ["clusterName", "principalArn", "type"],
  kept: ["userName", "kubernetesGroups"],
  computed: ["accessEntryArn", "createdAt", "modifiedAt", "userName"],
  create(scope, inputs) {
    const owner = clusterOf(scope, inputs.clusterName);
    const principal = String(inputs.principalArn);
    if (!/^arn:aws:iam::\d{12}:(role|user)\/./.test(principal)) {
      throw new AwsError(
        "InvalidParameterException",
        `The specified principalArn is invalid: invalid principal: ${principal}`,
      );
    }
    const id = `${owner.id}:${principal}`;
    if (scope.aws.find(ACCESS_ENTRY, scope.region, id) !== undefined) {
      throw new AwsError(
        "ResourceInUseException",
        `The specified access entry resource is already in use on this cluster: ${principal}`,
      );
    }
    return {
      id,
      outputs: {
        accessEntryArn: arn(scope, "eks", `access-entry/${owner.id}/${scope.aws.newId("")}`),
        createdAt: new Date().toISOString(),
        modifiedAt: new Date().toISOString(),
        userName: principal,
      },
    };
  },
};

const accessPolicyAssociation: ResourceType = {
  required: ["clusterName", "principalArn", "policyArn", "accessScope"],
  replaces: ["clusterName", "principalArn", "policyArn", "accessScope"],
  computed: ["associatedAt", "modifiedAt"],
  *check(inputs) {
    const policy = text(inputs, "policyArn");
    if (
      policy !== undefined &&
      !/^arn:aws:eks::aws:cluster-access-policy\/AmazonEKS\w+Policy$/.test(policy)
    ) {
      yield `"policyArn": "${policy}" is no access policy of EKS`;
    }
    const { type } = record(inputs.accessScope);
    if (typeof type === "string" && !["cluster", "namespace"].includes(type)) {
      yield `"accessScope.type": "${type}" is not cluster or namespace`;
    }
  },
  create(scope, inputs) {
    const owner = clusterOf(scope, inputs.clusterName);
    const entry = `${owner.id}:${String(inputs.principalArn)}`;
    if (scope.aws.find(ACCESS_ENTRY, scope.region, entry) === undefined) {
      throw new AwsError(
        "ResourceNotFoundException",
        `The specified principalArn could not be found. You can view your available access entries with 'list-access-entries': ${entry}`,
      );
    }
    const now = new Date().toISOString();
    return {
      id: `${owner.id}#${String(inputs.principalArn)}#${String(inputs.policyArn)}`,
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
