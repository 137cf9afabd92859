/** What is to happen later, unless it is ended before. */
export class Timers {
  private readonly running = new Set<NodeJS.Timeout>();

  later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.running.delete(timer);
      action();
    }, ms);
    this.running.add(timer);
  }

  end(): void {
    this.running.forEach((timer) => clearTimeout(timer));
    this.running.clear();
  }
}
