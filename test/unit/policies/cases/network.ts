import { UNKNOWN } from "../../../../policies/rules/model";
import { resource, cluster, RuleCases } from "../resources";

const service = (annotations: Record<string, string>, type = "LoadBalancer") =>
  resource("kubernetes:core/v1:Service", { metadata: { annotations }, spec: { type } });
const ingress = (props: Record<string, unknown>) =>
  resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {
    ipProtocol: "tcp",
    ...props,
  });
const port = (number: number, props: Record<string, unknown> = {}) =>
  ingress({ fromPort: number, toPort: number, cidrIpv4: "10.202.0.0/16", ...props });

/** Of the rules in policies/rules/network.ts, by name. */
export const NETWORK: Record<string, RuleCases> = {
  "ingress-listed": {
    breaks: [
      ["the internet", [port(26500, { cidrIpv4: "0.0.0.0/0" })], /lets in 0\.0\.0\.0\/0/],
      ["a public network", [port(26500, { cidrIpv4: "52.0.0.0/8" })], /lets in 52\.0\.0\.0\/8/],
      [
        "more than a private network",
        [port(26500, { cidrIpv4: "10.0.0.0/7" })],
        /lets in 10\.0\.0\.0\/7/,
      ],
      ["the internet by IPv6", [port(26500, { cidrIpv6: "::/0" })], /lets in ::\/0/],
      ["a port that is not listed", [port(9600)], /opens tcp 9600: the list has/],
      ["UDP where TCP is listed", [port(9200, { ipProtocol: "udp" })], /opens udp 9200/],
      [
        "a range",
        [ingress({ fromPort: 26500, toPort: 26502, cidrIpv4: "10.202.0.0/16" })],
        /opens tcp 26500-26502/,
      ],
      ["every protocol", [ingress({ ipProtocol: "-1", cidrIpv4: "10.202.0.0/16" })], /opens -1/],
      ["the NodePort to addresses", [port(30053)], /30053 to addresses/],
      [
        "a group's own rule",
        [
          resource("aws:ec2/securityGroup:SecurityGroup", {
            ingress: [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["10.0.0.0/8"] }],
          }),
        ],
        /ingress\[0\] opens tcp 22/,
      ],
      [
        "a rule of the older type",
        [
          resource("aws:ec2/securityGroupRule:SecurityGroupRule", {
            type: "ingress",
            protocol: "tcp",
            fromPort: 53,
            toPort: 53,
            cidrBlocks: ["0.0.0.0/0"],
          }),
        ],
        /lets in 0\.0\.0\.0\/0/,
      ],
    ],
    keeps: [
      ...[53, 9200, 26500, 26501, 26502].map((number): RuleCases["keeps"][number] => [
        `TCP ${number} from the other VPC`,
        [port(number)],
      ]),
      ["UDP 26502 from the other VPC", [port(26502, { ipProtocol: "udp" })]],
      [
        "the NodePort from a group",
        [ingress({ fromPort: 30053, toPort: 30053, referencedSecurityGroupId: UNKNOWN })],
      ],
      [
        "the NodePort from a group of an account",
        [
          ingress({
            fromPort: 30053,
            toPort: 30053,
            referencedSecurityGroupId: "123456789012/sg-0",
          }),
        ],
      ],
      [
        "egress",
        [
          resource("aws:ec2/securityGroupRule:SecurityGroupRule", {
            type: "egress",
            protocol: "-1",
          }),
        ],
      ],
      ["a group without rules of its own", [resource("aws:ec2/securityGroup:SecurityGroup", {})]],
    ],
  },
  "load-balancer-internal": {
    breaks: [
      [
        "a public one",
        [resource("aws:lb/loadBalancer:LoadBalancer", { loadBalancerType: "network" })],
        /internal is not true/,
      ],
    ],
    keeps: [
      ["an internal one", [resource("aws:lb/loadBalancer:LoadBalancer", { internal: true })]],
    ],
  },
  "service-internal": {
    breaks: [
      ["no annotation", [service({})], /of type LoadBalancer without an annotation/],
      [
        "an annotation for a public one",
        [service({ "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing" })],
        /without an annotation/,
      ],
    ],
    keeps: [
      ["GKE", [service({ "networking.gke.io/load-balancer-type": "Internal" })]],
      ["a cluster IP", [service({}, "ClusterIP")]],
    ],
  },
  "eks-endpoint-open": {
    breaks: [
      ["AWS's default", [cluster({ vpcConfig: {} })], /reachable from 0\.0\.0\.0\/0/],
      [
        "everywhere among others",
        [cluster({ vpcConfig: { publicAccessCidrs: ["192.0.2.0/24", "0.0.0.0/0"] } })],
        /reachable from/,
      ],
    ],
    keeps: [
      ["known networks", [cluster({ vpcConfig: { publicAccessCidrs: ["192.0.2.0/24"] } })]],
      ["no public endpoint", [cluster({ vpcConfig: { endpointPublicAccess: false } })]],
    ],
  },
};
