import { type Properties } from "../pulumi/properties";
import { arn, owned, ResourceType, Scope, strings, text } from "./resourceType";
import { AwsError, Item } from "./state";
import { EGRESS_RULE, INGRESS_RULE, NETWORK_ACL, SECURITY_GROUP, SUBNET, VPC } from "./tokens";

/** Makes a security group that AWS makes by itself. */
export function addImplicitSecurityGroup(scope: Scope, vpcId: string, name: string): string {
  const id = scope.aws.newId("sg-");
  const inputs = { vpcId, name, description: name };
  const outputs = { ...inputs, ...owned(scope, "security-group", id) };
  const { region } = scope;
  scope.aws.add({ type: SECURITY_GROUP, id, region, inputs, outputs, implicit: true });
  return id;
}

const securityGroup: ResourceType = {
  autoname: { property: "name", max: 255 },
  defaults: { description: "Managed by Pulumi" },
  replaces: ["name", "namePrefix", "description", "vpcId"],
  computed: ["arn", "ownerId"],
  names: { vpcId: VPC },
  unique: ["InvalidGroup.Duplicate", "vpcId", "name"],
  create(scope) {
    const id = scope.aws.newId("sg-");
    return { id, outputs: owned(scope, "security-group", id) };
  },
};

/** Id of the security group that a rule references, as `sg-…` or `ACCOUNT/sg-…`; undefined: none, or another account's. */
export function referencedGroup(aws: Scope["aws"], rule: Properties): string | undefined {
  const [id, account = aws.account] = (text(rule, "referencedSecurityGroupId") ?? "")
    .split("/")
    .reverse();
  return id === "" || account !== aws.account ? undefined : id;
}

const securityGroupRule: ResourceType = {
  replaces: ["securityGroupId"],
  computed: ["arn", "securityGroupRuleId"],
  names: { securityGroupId: SECURITY_GROUP, referencedSecurityGroupId: SECURITY_GROUP },
  within: "securityGroupId",
  unique: [
    "InvalidPermission.Duplicate",
    ...["securityGroupId", "ipProtocol", "fromPort", "toPort"],
    ...["cidrIpv4", "referencedSecurityGroupId"],
  ],
  create(scope) {
    const id = scope.aws.newId("sgr-");
    const made = arn(scope, "ec2", `security-group-rule/${id}`);
    return { id, outputs: { arn: made, securityGroupRuleId: id } };
  },
  update(_scope, _item, inputs) {
    // Create takes the account apart from the id, ModifySecurityGroupRules is sent the whole as an id.
    if (text(inputs, "referencedSecurityGroupId")?.includes("/")) {
      throw new AwsError(
        "InvalidGroupId.Malformed",
        `Invalid id: "${String(inputs.referencedSecurityGroupId)}" (expecting "sg-...")`,
      );
    }
  },
  seen(scope, inputs) {
    const id = referencedGroup(scope.aws, inputs);
    // The provider leaves the account out where it knows it for its own.
    return id === undefined ? {} : { referencedSecurityGroupId: id };
  },
};

const networkAcl: ResourceType = {
  replaces: ["vpcId"],
  kept: ["ingress", "egress", "subnetIds"],
  sets: ["ingress", "egress", "subnetIds"],
  computed: ["arn", "ownerId"],
  names: { vpcId: VPC, subnetIds: SUBNET },
  create(scope, inputs) {
    associate(scope, inputs);
    const id = scope.aws.newId("acl-");
    return { id, outputs: owned(scope, "network-acl", id) };
  },
  update(scope, item, inputs) {
    associate(scope, inputs, item);
  },
};

/** A subnet has one ACL: giving it another takes it from the one that it had. */
function associate(scope: Scope, inputs: Properties, self?: Item): void {
  for (const id of strings(inputs.subnetIds)) {
    for (const other of scope.aws.list(NETWORK_ACL, scope.region)) {
      if (other !== self && strings(other.inputs.subnetIds).includes(id)) {
        const rest = strings(other.inputs.subnetIds).filter((subnetId) => subnetId !== id);
        other.inputs = { ...other.inputs, subnetIds: rest };
        other.outputs = { ...other.outputs, subnetIds: rest };
      }
    }
  }
}

/** What lets packets pass, or not. */
export const FILTER_TYPES: Record<string, ResourceType> = {
  [SECURITY_GROUP]: securityGroup,
  [INGRESS_RULE]: securityGroupRule,
  [EGRESS_RULE]: securityGroupRule,
  [NETWORK_ACL]: networkAcl,
};
