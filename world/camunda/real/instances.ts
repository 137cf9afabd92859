import { setTimeout as sleep } from "node:timers/promises";
import { TextAnswer, request, requestJson } from "../../processes/http";

const PROCESS_ID = "demo";

/** A process whose instances wait for a worker that never comes. */
const DEMO_PROCESS = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="${PROCESS_ID}" isExecutable="true">
    <bpmn:startEvent id="start" />
    <bpmn:sequenceFlow id="begin" sourceRef="start" targetRef="work" />
    <bpmn:serviceTask id="work">
      <bpmn:extensionElements><zeebe:taskDefinition type="work" /></bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="finish" sourceRef="work" targetRef="end" />
    <bpmn:endEvent id="end" />
  </bpmn:process>
</bpmn:definitions>
`;

/** Deploys the process that {@link startInstance} starts. */
export async function deployProcess(gateway: string): Promise<void> {
  const form = new FormData();
  form.append("resources", new Blob([DEMO_PROCESS], { type: "text/xml" }), `${PROCESS_ID}.bpmn`);
  await requestJson(`${gateway}/v2/deployments`, { method: "POST", form });
}

/** Starts one instance of the process and returns its key. */
export async function startInstance(gateway: string): Promise<string> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await request(`${gateway}/v2/process-instances`, {
      method: "POST",
      json: { processDefinitionId: PROCESS_ID, variables: { x: 1 } },
    });
    const key = /"processInstanceKey":\s*"?(\d+)/.exec(answer.text)?.[1];
    if (answer.status === 200 && key !== undefined) {
      return key;
    }
    if (!isPassing(answer) || Date.now() > deadline) {
      throw new Error(`cannot start an instance: ${answer.status} ${answer.text.slice(0, 500)}`);
    }
    await sleep(200);
  }
}

/** The other partitions learn of a deployment a moment later; a busy broker asks to come again. */
function isPassing(answer: TextAnswer): boolean {
  return answer.status === 404 || answer.status === 429;
}
