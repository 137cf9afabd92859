import {
  accountNamed,
  controlPlaneLogged,
  nodeRoleUnreachable,
  noFullAccess,
  noStarAction,
  noStarResource,
  roleTrustNamed,
} from "./access";
import {
  backupsKept,
  bucketBlocked,
  bucketEncrypted,
  bucketTlsOnly,
  bucketVersioned,
  noPublicBucket,
} from "./buckets";
import { clusterShape, membershipShape, noKeysInValues, snapshotSettings } from "./camunda";
import { eksSecretsEncrypted, noPlainVolume } from "./encryption";
import type { Rule } from "./model";
import { eksEndpointOpen, ingressListed, loadBalancerInternal, serviceInternal } from "./network";
import { stateBackendElsewhere } from "./stateBackend";

/** Every rule of the pack. */
export const RULES: readonly Rule[] = [
  noPublicBucket,
  bucketBlocked,
  bucketTlsOnly,
  bucketEncrypted,
  bucketVersioned,
  backupsKept,
  noPlainVolume,
  eksSecretsEncrypted,
  noStarAction,
  noStarResource,
  roleTrustNamed,
  noFullAccess,
  nodeRoleUnreachable,
  accountNamed,
  controlPlaneLogged,
  ingressListed,
  loadBalancerInternal,
  serviceInternal,
  eksEndpointOpen,
  clusterShape,
  membershipShape,
  snapshotSettings,
  noKeysInValues,
  stateBackendElsewhere,
];
