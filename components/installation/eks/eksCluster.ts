import { Provider } from "@pulumi/kubernetes/provider";
import * as storage from "@pulumi/kubernetes/storage/v1";
import * as pulumi from "@pulumi/pulumi";
import { PORTS } from "../../generations/objects";
import { peerOf, RegionName } from "../../base/brokers";
import type { EksSettings } from "../../settings";
import { clusterName } from "../../settings/eksNames";
import { PROVIDER } from "../kubernetes/provider";
import type { RegionNetwork } from "./regionNetwork";
import * as aws from "./sdk";
import { RoleWithPolicies, roleWithPolicies, trustService, trustServiceAccount } from "./trust";

/** Name of the default StorageClass. */
export const STORAGE_CLASS = "ebs-sc";

/**
 * Settings of the network of pods. What they send to the other region has their own address, not their node's:
 * security groups, flow logs and policies there see who it is; the NAT gateways make the way out to the
 * internet. And their packets fit through the peering as they are (8,500 bytes between AWS regions, 9,001
 * within a VPC), so that nothing depends on the ICMP that would say so.
 */
const CNI = { AWS_VPC_K8S_CNI_EXTERNALSNAT: "true", AWS_VPC_ENI_MTU: "8500" };

/** What the other region's VPC may open on the nodes and pods of this one. DNS goes to a load balancer of its own. */
export const PEER_INGRESS: readonly { name: string; protocol: "tcp" | "udp"; port: number }[] = [
  { name: "elasticsearch", protocol: "tcp", port: PORTS.elasticsearch },
  { name: "gateway", protocol: "tcp", port: PORTS.gateway },
  { name: "command", protocol: "tcp", port: PORTS.command },
  { name: "internal", protocol: "tcp", port: PORTS.internal },
  // Brokers gossip their membership in UDP on the port of the internal API.
  { name: "gossip", protocol: "udp", port: PORTS.internal },
];

/** Arguments of {@link EksCluster}. */
export interface EksClusterArgs {
  eks: EksSettings;
  /** The region of this stack. */
  region: RegionName;
  network: RegionNetwork;
}

/**
 * EKS cluster of a region with its nodes, its add-ons but CoreDNS (see `EksDnsChaining`), and the StorageClass.
 *
 * Cluster and the key of its secrets are protected: a change that would replace the cluster (its name, the
 * CIDR of its services, its network) is refused, and the preview of `pulumi destroy` refuses it as a whole.
 * To destroy a region, whichever comes first: `pulumi state unprotect --all`, then `pulumi destroy`. With
 * `--skip-preview` alone it would stop only at the cluster, with the nodes already gone.
 *
 * The StorageClass retains: a claim or a namespace deleted by mistake must not take what may be the last
 * copy. A recreated region starts empty all the same, since a retained volume is never bound again; it is
 * left in AWS, with the tag `camunda8:volume`, to be deleted by hand. Nor does `pulumi destroy` delete it.
 *
 * Add-ons are made in the version that EKS then has as default, and keep it, also when the version of
 * Kubernetes changes: it is not declared, so that no preview has to ask. The principal that creates the
 * cluster administrates it; that is fixed at creation, and it must not be among `administrators`, where EKS
 * would refuse it as being there already.
 */
export class EksCluster extends pulumi.ComponentResource {
  /** Name of the cluster. */
  readonly clusterName: pulumi.Output<string>;
  /** The cluster: `deletedWith` for what lies in it and need not be deleted before it. */
  readonly cluster: aws.eks.Cluster;
  /**
   * Kubeconfig as JSON, a secret. It holds no credential: `aws eks get-token` makes one for each use, of
   * the AWS credentials where it is used. Needs the AWS CLI there.
   */
  readonly kubeconfig: pulumi.Output<string>;
  /** Provider of Kubernetes resources in this cluster. */
  readonly provider: Provider;
  /** ARN of the cluster's OIDC provider in IAM. */
  readonly oidcProviderArn: pulumi.Output<string>;
  /** Issuer of service account tokens, without `https://`. */
  readonly issuer: pulumi.Output<string>;
  /** Security group of control plane and nodes. */
  readonly securityGroupId: pulumi.Output<string>;
  /** Auto Scaling group of the nodes. */
  readonly autoscalingGroupName: pulumi.Output<string>;
  /** The nodes: what runs in the cluster depends on them. */
  readonly nodeGroup: aws.eks.NodeGroup;

  private readonly child: pulumi.CustomResourceOptions;

  constructor(
    private readonly name: string,
    private readonly args: EksClusterArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("camunda8:aws:EksCluster", name, {}, options);
    this.child = { parent: this };
    this.cluster = this.controlPlane();
    this.clusterName = this.cluster.name;
    this.securityGroupId = this.cluster.vpcConfig.clusterSecurityGroupId;

    const url = this.cluster.identities.apply((all) => all[0]?.oidcs?.[0]?.issuer ?? "");
    const oidc = new aws.iam.OpenIdConnectProvider(
      `${name}-oidc`,
      { url, clientIdLists: ["sts.amazonaws.com"] },
      this.child,
    );
    this.oidcProviderArn = oidc.arn;
    this.issuer = url.apply((text) => text.replace(/^https:\/\//, ""));

    this.administrators();
    this.peerIngress();
    const cni = this.serviceAccountRole("vpc-cni", "aws-node", ["AmazonEKS_CNI_Policy"]);
    // Without these two a node does not become ready, and the cluster was made without any.
    const network = [
      this.addon("vpc-cni", cni.attachments, {
        serviceAccountRoleArn: cni.role.arn,
        configurationValues: JSON.stringify({ enableNetworkPolicy: "true", env: CNI }),
      }),
      this.addon("kube-proxy"),
    ];
    this.nodeGroup = this.nodes(network);
    this.autoscalingGroupName = this.nodeGroup.resources.apply(
      (all) => all[0]?.autoscalingGroups?.[0]?.name ?? "",
    );
    const ebs = this.serviceAccountRole("aws-ebs-csi-driver", "ebs-csi-controller-sa", [
      "service-role/AmazonEBSCSIDriverPolicy",
    ]);
    const volumes = this.addon("aws-ebs-csi-driver", [...ebs.attachments, this.nodeGroup], {
      serviceAccountRoleArn: ebs.role.arn,
    });

    this.kubeconfig = pulumi.secret(
      pulumi
        .all([this.clusterName, this.cluster.endpoint, this.cluster.certificateAuthority])
        .apply(([cluster, server, { data }]) =>
          kubeconfigOf(cluster, server, data ?? "", args.eks.awsRegions[args.region]),
        ),
    );
    this.provider = new Provider(
      `${name}-kubernetes`,
      { kubeconfig: this.kubeconfig, ...PROVIDER },
      this.child,
    );
    this.storageClass(volumes);
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      oidcProviderArn: this.oidcProviderArn,
    });
  }

  private controlPlane(): aws.eks.Cluster {
    const { eks, region, network } = this.args;
    const { role, attachments } = roleWithPolicies(
      `${this.name}-control-plane`,
      trustService("eks.amazonaws.com"),
      ["AmazonEKSClusterPolicy"],
      this.child,
    );
    const key = new aws.kms.Key(
      `${this.name}-secrets`,
      {
        description: `Secrets of the EKS cluster ${clusterName(eks, region)}`,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
      },
      { ...this.child, protect: true },
    );
    const open = eks.apiAccessCidrs.length > 0;
    return new aws.eks.Cluster(
      `${this.name}-cluster`,
      {
        name: clusterName(eks, region),
        version: eks.kubernetesVersion,
        roleArn: role.arn,
        accessConfig: {
          authenticationMode: "API",
          bootstrapClusterCreatorAdminPermissions: true,
        },
        bootstrapSelfManagedAddons: false,
        enabledClusterLogTypes: eks.clusterLogs,
        kubernetesNetworkConfig: { serviceIpv4Cidr: eks.cidrs[region].services },
        encryptionConfig: { resources: ["secrets"], provider: { keyArn: key.arn } },
        vpcConfig: {
          subnetIds: network.privateSubnetIds,
          endpointPrivateAccess: true,
          endpointPublicAccess: open,
          ...(open ? { publicAccessCidrs: eks.apiAccessCidrs } : {}),
        },
      },
      // The policies last, so that EKS can still detach its interfaces when the cluster is deleted.
      { ...this.child, protect: true, dependsOn: attachments },
    );
  }

  private administrators(): void {
    for (const principalArn of this.args.eks.administrators) {
      const who = principalArn.split(":").slice(4).join("-").replaceAll("/", "-");
      const entry = new aws.eks.AccessEntry(
        `${this.name}-${who}`,
        { clusterName: this.clusterName, principalArn },
        this.child,
      );
      new aws.eks.AccessPolicyAssociation(
        `${this.name}-${who}`,
        {
          clusterName: this.clusterName,
          principalArn: entry.principalArn,
          policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
          accessScope: { type: "cluster" },
        },
        this.child,
      );
    }
  }

  /** Rules of their own: the security group is made by EKS, and inline rules would be all its rules. */
  private peerIngress(): void {
    const { eks, region } = this.args;
    const peer = peerOf(region);
    for (const { name, protocol, port } of PEER_INGRESS) {
      new aws.vpc.SecurityGroupIngressRule(
        `${this.name}-peer-${name}`,
        {
          securityGroupId: this.securityGroupId,
          cidrIpv4: eks.cidrs[peer].vpc,
          ipProtocol: protocol,
          fromPort: port,
          toPort: port,
          description: `Camunda ${name} from ${peer}`,
        },
        this.child,
      );
    }
  }

  private serviceAccountRole(
    what: string,
    serviceAccount: string,
    policies: string[],
  ): RoleWithPolicies {
    return roleWithPolicies(
      `${this.name}-${what}`,
      trustServiceAccount(this, { namespace: "kube-system", serviceAccount }),
      policies,
      this.child,
    );
  }

  private addon(
    addonName: string,
    dependsOn: pulumi.Resource[] = [],
    args: Partial<aws.eks.AddonArgs> = {},
  ): aws.eks.Addon {
    return new aws.eks.Addon(
      `${this.name}-${addonName}`,
      {
        clusterName: this.clusterName,
        addonName,
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
        ...args,
      },
      { ...this.child, dependsOn },
    );
  }

  private nodes(addons: pulumi.Resource[]): aws.eks.NodeGroup {
    const { eks, region, network } = this.args;
    const { role, attachments } = roleWithPolicies(
      `${this.name}-nodes`,
      trustService("ec2.amazonaws.com"),
      ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"],
      this.child,
    );
    const tags = { Name: `${eks.prefix}-${region}-node` };
    const template = new aws.ec2.LaunchTemplate(
      `${this.name}-nodes`,
      {
        // Not in the node group, which would be made anew for another type: the old one's nodes, with all
        // brokers of the region, would go at once. A new version of the template replaces one node at a time.
        instanceType: eks.nodes.instanceType,
        metadataOptions: {
          httpEndpoint: "enabled",
          httpTokens: "required",
          // One hop does not reach into a pod: none can take the node's role.
          httpPutResponseHopLimit: 1,
        },
        blockDeviceMappings: [
          {
            deviceName: "/dev/xvda",
            ebs: {
              encrypted: "true",
              volumeType: "gp3",
              volumeSize: eks.nodes.diskGb,
              deleteOnTermination: "true",
            },
          },
        ],
        tagSpecifications: ["instance", "volume"].map((resourceType) => ({ resourceType, tags })),
      },
      this.child,
    );
    return new aws.eks.NodeGroup(
      `${this.name}-nodes`,
      {
        clusterName: this.clusterName,
        // A fixed name would keep a new group from being made before the old one goes.
        nodeGroupNamePrefix: `${eks.prefix}-`,
        nodeRoleArn: role.arn,
        subnetIds: network.privateSubnetIds,
        version: eks.kubernetesVersion,
        amiType: "AL2023_x86_64_STANDARD",
        capacityType: "ON_DEMAND",
        scalingConfig: {
          minSize: eks.nodes.min,
          desiredSize: eks.nodes.desired,
          maxSize: eks.nodes.max,
        },
        updateConfig: { maxUnavailable: 1 },
        launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
      },
      {
        ...this.child,
        dependsOn: [...addons, ...attachments, ...network.egress],
        // Scaled back by the next run, nodes would be drained with the brokers on them.
        ...(eks.nodes.autoscaler ? { ignoreChanges: ["scalingConfig.desiredSize"] } : {}),
      },
    );
  }

  private storageClass(driver: pulumi.Resource): void {
    new storage.StorageClass(
      `${this.name}-storage`,
      {
        metadata: {
          name: STORAGE_CLASS,
          annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        provisioner: "ebs.csi.aws.com",
        reclaimPolicy: "Retain",
        volumeBindingMode: "WaitForFirstConsumer",
        allowVolumeExpansion: true,
        parameters: {
          type: "gp3",
          iops: "3000",
          throughput: "125",
          encrypted: "true",
          tagSpecification_1: `camunda8:volume=${clusterName(this.args.eks, this.args.region)}`,
        },
      },
      {
        ...this.child,
        provider: this.provider,
        dependsOn: [driver],
        deletedWith: this.cluster,
      },
    );
  }
}

function kubeconfigOf(cluster: string, server: string, ca: string, awsRegion: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: cluster, cluster: { server, "certificate-authority-data": ca } }],
    contexts: [{ name: cluster, context: { cluster, user: cluster } }],
    "current-context": cluster,
    users: [
      {
        name: cluster,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "aws",
            args: [
              ...["--region", awsRegion, "eks", "get-token"],
              ...["--cluster-name", cluster, "--output", "json"],
            ],
            // Version 1 of the AWS CLI would sign for the global STS, in us-east-1.
            env: [{ name: "AWS_STS_REGIONAL_ENDPOINTS", value: "regional" }],
            interactiveMode: "Never",
            provideClusterInfo: false,
          },
        },
      },
    ],
  });
}
