import type { ApiException, Configuration, KubeConfig } from "@kubernetes/client-node";
import type { RequestOptions } from "node:https";
import { reason, Refused, Unreachable } from "./answers";
import { shortened } from "../base/bounded";
import { isRecord } from "../base/json";
import { clusterAccess, firstLine } from "./kubernetesAccess";
import { ClusterAddress } from "../base/kubernetesAddress";
import { KubernetesLibrary, kubernetesLibrary } from "./kubernetesLibrary";

/** How far a request has come: an error says what it was waiting for. */
export interface Progress {
  /** In the words of `no answer within 5 s: still waiting for <stage>`. */
  stage: string;
}

/** What is used of the web socket that the library returns. */
export interface WebSocketLike {
  onclose: ((event: { code: number }) => void) | null;
  onerror: ((event: { message: string }) => void) | null;
  terminate(): void;
}

/** A cluster's Kubernetes API for the time of one request: everything in it ends with the signal. */
export class Api {
  /** The time of the API server's clock at its last answer, ISO 8601 or as HTTP says it; undefined before one. */
  clock: string | undefined;

  private constructor(
    private readonly library: KubernetesLibrary,
    private readonly config: KubeConfig,
    readonly signal: AbortSignal,
  ) {}

  /**
   * @param signal ends the opening and all that is asked through this API
   * @throws Error with one line when there is no access to the cluster; what the signal says when it came first
   */
  static async open(
    cluster: ClusterAddress,
    signal: AbortSignal,
    progress: Progress,
  ): Promise<Api> {
    progress.stage = cluster.kind === "eks" ? "the AWS CLI" : "the kubeconfig";
    const library = await kubernetesLibrary();
    const config = await orAborted(signal, clusterAccess(cluster));
    progress.stage = "the Kubernetes API";
    return new Api(library, limited(config, signal, progress), signal);
  }

  get core() {
    return new this.library.CoreV1Api(this.client());
  }

  /** As {@link core}, for lists: no more than the metadata of what is listed, so nothing of what Secrets hold. */
  get coreMetadata() {
    return new this.library.CoreV1Api(
      this.client("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
    );
  }

  get apps() {
    return new this.library.AppsV1Api(this.client());
  }

  get version() {
    return new this.library.VersionApi(this.client());
  }

  get networking() {
    return new this.library.NetworkingV1Api(this.client());
  }

  get exec() {
    return new this.library.Exec(this.config);
  }

  get portForward() {
    return new this.library.PortForward(this.config, false);
  }

  /**
   * Waits for one call of a typed client.
   *
   * @param request what is asked, for the error: `GET pod NAME in namespace NAMESPACE`
   * @returns undefined when the object does not exist
   * @throws Refused when the API answers otherwise, Unreachable when it does not
   */
  async call<T>(request: string, answer: Promise<T>): Promise<T | undefined> {
    try {
      return await orAborted(this.signal, answer);
    } catch (error) {
      if (error instanceof this.library.ApiException) {
        if (error.code === 404) {
          return undefined;
        }
        throw new Refused(request, error.code, whyRefused(error));
      }
      throw error;
    }
  }

  private client(accept?: string): Configuration {
    const { ServerConfiguration, createConfiguration, PatchStrategy } = this.library;
    const server = this.config.getCurrentCluster()?.server ?? "";
    return createConfiguration({
      baseServer: new ServerConfiguration(server, {}),
      authMethods: { default: this.config },
      promiseMiddleware: [
        {
          pre: (request) => {
            request.setSignal(this.signal);
            if (accept !== undefined) {
              request.setHeaderParam("Accept", accept);
            }
            if (request.getHttpMethod() === this.library.HttpMethod.PATCH) {
              request.setHeaderParam("Content-Type", PatchStrategy.MergePatch);
            }
            return Promise.resolve(request);
          },
          post: (response) => {
            this.clock = response.headers.date ?? this.clock;
            return Promise.resolve(response);
          },
        },
      ],
    });
  }
}

/** The promise's result, or what the signal says if that comes first. */
export async function orAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let listener: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    listener = () => reject(signal.reason as Error);
    if (signal.aborted) {
      listener();
    }
    signal.addEventListener("abort", listener);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", listener as () => void);
    // Whatever it still comes to: the caller has heard what the signal said.
    promise.catch(() => undefined);
  }
}

/** What the API says: a `Status` object. The library drops it from a 401. */
function whyRefused({ code, body }: ApiException<unknown>): string {
  if (code === 401) {
    return "the credentials are not accepted";
  }
  if (typeof body !== "string") {
    return reason(body);
  }
  try {
    return reason(JSON.parse(body));
  } catch {
    return reason(body);
  }
}

/** Why a request through the Kubernetes API came to nothing, in one line. */
export function whyNot(
  error: unknown,
  signal: AbortSignal,
  timeoutMs: number,
  progress: Progress,
): string {
  if (signal.aborted) {
    return `no answer within ${timeoutMs / 1000} s: still waiting for ${progress.stage}`;
  }
  if (error instanceof Unreachable) {
    return error.why;
  }
  if (isRecord(error) && typeof error.code === "string" && !(error instanceof Refused)) {
    return `${progress.stage}: ${error.code}`;
  }
  return firstLine(error);
}

function notInstalled(command: string, hint: string | undefined): string {
  const how = hint === undefined ? "install it, or correct the kubeconfig" : firstLine(hint);
  return `the credential plugin ${command} is not there: ${shortened(how, 80)}`;
}

/**
 * The library's handshakes of streams take neither a signal nor a deadline, and its credential plugins
 * neither: its options are let through, and its waiting ends with the signal.
 */
function limited(config: KubeConfig, signal: AbortSignal, progress: Progress): KubeConfig {
  const plugin = config.getCurrentUser()?.exec as
    { command?: string; installHint?: string } | undefined;
  const waited = async (credentials: Promise<void>): Promise<void> => {
    const { stage } = progress;
    if (plugin?.command !== undefined) {
      progress.stage = `the credentials of ${plugin.command}`;
    }
    try {
      await orAborted(signal, credentials);
    } catch (error) {
      throw plugin?.command !== undefined && /\bENOENT\b/.test(firstLine(error))
        ? new Error(notInstalled(plugin.command, plugin.installHint))
        : error;
    }
    progress.stage = stage;
  };
  const forStreams = config.applyToHTTPSOptions.bind(config);
  config.applyToHTTPSOptions = async (options) => {
    await waited(forStreams(options));
    (options as RequestOptions).signal = signal;
  };
  const forRequests = config.applySecurityAuthentication.bind(config);
  config.applySecurityAuthentication = (context) => waited(forRequests(context));
  return config;
}
