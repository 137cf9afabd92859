import { changesSomething, ReceivedRequest, Reply } from "../camunda/embedded";
import type { FaultScene } from "./scene";

/** One of the requests of a run, by what is the same in every run of its kind. */
export interface RequestId {
  method: string;
  /** The server that receives it: `0.management`, `region1.elasticsearch`. */
  server: string;
  path: string;
  /** Which of the requests like it, from 1 on. */
  number: number;
}

/** What a clean run sends, and is truly answered. */
export interface LearntRequest {
  id: RequestId;
  changes: boolean;
  reply: Reply;
}

/** Of requests that are alike the later ones are those of waits: how many depends on the machine. */
const MOST_ALIKE = 4;

export function serverOf({ region, server, brokerId }: ReceivedRequest): string {
  return `${brokerId ?? region}.${server}`;
}

/** Whether a request is like another one, whichever of them it is. */
export function isLike({ method, server, path }: RequestId, request: ReceivedRequest): boolean {
  return method === request.method && path === request.path && server === serverOf(request);
}

export function textOf({ method, server, path, number }: RequestId): string {
  return `${method} ${server} ${path} #${number}`;
}

/** What is the same of requests to either region and of each attempt, to whichever broker. */
export function shapeOf({ method, path }: RequestId): string {
  return `${method} ${path.replace(/region[01]/g, "REGION")}`;
}

/** The pattern of {@link textOf}; {@link requestOf} makes a request of its groups. */
export const REQUEST = String.raw`(GET|HEAD|POST|PUT|DELETE) (\S+) (\S+) #(\d+)`;

export function requestOf([method, server, path, number]: (string | undefined)[]): RequestId {
  return { method: method ?? "", server: server ?? "", path: path ?? "", number: Number(number) };
}

/** Writes down the requests of a run with their answers, until it is ended. */
export function learn({ world }: FaultScene): { end(): LearntRequest[] } {
  const learnt: LearntRequest[] = [];
  const stop = world.inject({
    path: /./,
    tell: async (truth, request) => {
      const { method, path } = request;
      const id = { method, server: serverOf(request), path, number: 1 };
      id.number += learnt.filter((other) => isLike(other.id, request)).length;
      const place = learnt.push({ id, changes: changesSomething(request), reply: { status: 0 } });
      const reply = await truth();
      learnt[place - 1] = { ...(learnt[place - 1] as LearntRequest), reply };
      return reply;
    },
  });
  return {
    end() {
      stop();
      return learnt.filter(({ id }) => id.number <= MOST_ALIKE);
    },
  };
}
