import { createHash } from "node:crypto";
import type { Outages } from "../pulumi/outages";
import type { Properties } from "../pulumi/properties";

/** A resource that exists. */
export interface Item {
  type: string;
  id: string;
  /** Region that it is in; undefined for IAM and Route 53. */
  region: string | undefined;
  /** As the program wrote it, or as somebody has changed it behind Pulumi's back. */
  inputs: Properties;
  outputs: Properties;
  /** Made by AWS along with another resource: a default security group, that of an EKS cluster. */
  implicit?: boolean;
}

/** One side of a VPC peering. */
export interface PeeringSide {
  region: string;
  vpcId: string;
  cidr: string;
}

/** A VPC peering connection, which both regions see. */
export interface Peering {
  id: string;
  requester: PeeringSide;
  accepter: PeeringSide;
  status: "pending-acceptance" | "active" | "deleted" | "rejected" | "expired";
}

/** What the Kubernetes side of a world does when EKS does something. */
export interface AwsHooks {
  /** A cluster becomes active: where its API is, and its certificate authority (PEM in base64). */
  onCluster(
    region: string,
    cluster: { name: string; version: string; serviceCidr: string },
  ): Promise<{ endpoint: string; certificateAuthority: string }>;
  /** A cluster is deleted by the program. */
  onClusterDeleted(region: string, name: string): Promise<void>;
  /** An add-on becomes active, or its configuration changes. */
  onAddon(region: string, cluster: string, addon: string, configuration: Properties): Promise<void>;
}

/** An error as AWS words it. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    text: string,
  ) {
    super(`api error ${code}: ${text}`);
  }
}

/**
 * What one AWS account has in all regions. Regional resources vanish with their region, those of the
 * account (IAM, Route 53) and buckets stay.
 */
export class Aws {
  /** By id; those that are gone stay, with their status. */
  readonly peerings = new Map<string, Peering>();
  /** Keys of the objects of each bucket, by its name. Whoever stands in for a client of S3 writes them. */
  readonly objects = new Map<string, Set<string>>();
  private items: Item[] = [];
  private count = 0;

  /**
   * @param account 12 digits
   * @param zones hosted zones of Route 53 that were there before: id and domain
   */
  constructor(
    readonly account: string,
    readonly outages: Outages,
    readonly hooks: AwsHooks,
    readonly zones: Record<string, string> = {},
  ) {}

  /** An id that was never given before: 17 hexadecimal digits. */
  newId(prefix: string): string {
    return prefix + createHash("sha1").update(`${++this.count}`).digest("hex").slice(0, 17);
  }

  /** Everything of a type, in one region or everywhere. */
  list(type: string, region?: string): Item[] {
    return this.items.filter(
      (item) => item.type === type && (region === undefined || item.region === region),
    );
  }

  /** Everything there is. */
  all(): readonly Item[] {
    return this.items;
  }

  /** Everything in a region that is not of the account. */
  inRegion(region: string): Item[] {
    return this.items.filter((item) => item.region === region);
  }

  /** One resource of a type, in a region or (undefined) of the account. */
  find(type: string, region: string | undefined, id: unknown): Item | undefined {
    return this.items.find(
      (item) => item.type === type && item.id === id && item.region === region,
    );
  }

  /** From now on it is there. */
  add(item: Item): void {
    this.items.push(item);
  }

  /** It is gone. */
  remove(item: Item): void {
    this.items = this.items.filter((other) => other !== item);
  }

  /** The peerings that a VPC had are gone with it. */
  deletePeeringsOf(vpcId: string): void {
    for (const peering of this.peerings.values()) {
      if (peering.requester.vpcId === vpcId || peering.accepter.vpcId === vpcId) {
        peering.status = "deleted";
      }
    }
  }

  /**
   * All that a region had is gone, as after a loss for good. Its buckets and keys stay, and so does what
   * is the account's: a recreated stack meets its own roles again.
   */
  forget(region: string): void {
    this.list("aws:ec2/vpc:Vpc", region).forEach(({ id }) => this.deletePeeringsOf(id));
    this.items = this.items.filter(
      ({ type, region: home }) => home !== region || /^aws:(s3|kms)\//.test(type),
    );
  }
}
