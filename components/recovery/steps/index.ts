import type { StepName } from "../../generations/generation";
import { connection } from "./connection";
import { exporters } from "./exporters";
import { exporting } from "./exporting";
import {
  exportPause,
  exportResume,
  gate,
  restore,
  snapshot,
  snapshotSource,
  snapshotTarget,
} from "./failback";
import { health } from "./health";
import { hook } from "./hook";
import { membership } from "./membership";
import type { Step } from "./step";
import { webApps, webAppsStop } from "./webApps";

/** What each step says and declares. In which order is for the generation to say. */
export const STEPS: Record<StepName, Step> = {
  connection,
  health,
  "before-failover": hook("beforeFailover", "failed-over"),
  "after-failover": hook("afterFailover", "failed-over"),
  "before-drain": hook("beforeDrain", "drained"),
  "after-drain": hook("afterDrain", "drained"),
  "before-failback": hook("beforeFailback", "failing-back"),
  "after-failback": hook("afterFailback", "failing-back"),
  gate,
  "web-apps-stop": webAppsStop,
  "export-pause": exportPause,
  "snapshot-source": snapshotSource,
  snapshot,
  "snapshot-target": snapshotTarget,
  restore,
  "web-apps": webApps,
  exporters,
  "export-resume": exportResume,
  exporting,
  membership,
};
