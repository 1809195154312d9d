// A gateway in Node: it trains in a child process and goes on answering meanwhile.
//
//     node gateway_node.mjs [python]
import { spawn } from "node:child_process";

const python = process.argv[2] ?? "python3";

// One JSON job in, one JSON line out; stderr is the child's log.
function train(job) {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ["-m", "shgat", "worker"], { stdio: ["pipe", "pipe", "ignore"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      const result = out ? JSON.parse(out) : { success: false, error: "the child was killed" };
      result.success ? resolve(result) : reject(new Error(result.error));
    });
    child.stdin.on("error", () => {}); // what the child says on stdout tells why
    child.stdin.end(JSON.stringify(job) + "\n");
  });
}

const unit = (i, shake = 0) => Array.from({ length: 8 }, (_, j) => (i === j ? 1 : 0) + shake * Math.sin(7 * i + 3 * j));
const tools = ["mail.send", "mail.search", "calendar.book", "files.read"];
const job = {
  capabilities: [
    { id: "correspondence", embedding: unit(0, 0.2), toolsUsed: ["mail.send", "mail.search"], successRate: 0.9 },
    { id: "office", embedding: unit(2, 0.2), toolsUsed: ["calendar.book", "files.read"], successRate: 0.8, children: ["correspondence"] },
  ],
  toolEmbeddings: Object.fromEntries(tools.map((id, i) => [id, unit(i)])),
  examples: Array.from({ length: 40 }, (_, i) => ({
    intentEmbedding: unit((i + 1) % 4, 0.1 + i / 1000), // people mean another tool than the words say
    contextTools: [],
    candidateId: tools[i % 4],
    outcome: 1,
    traceId: `trace-${i}`,
  })),
  config: { epochs: 3, batchSize: 16, usePER: true, useCurriculum: false, learningRate: 0.003 },
};

let answered = 0;
const serving = setInterval(() => answered++, 5); // the gateway at its work
const result = await train(job);
clearInterval(serving);
console.log(JSON.stringify({
  answered,
  loss: result.finalLoss,
  health: result.healthCheck,
  priorities: result.traceIds.map((id, i) => [id, result.tdErrors[i]]).slice(0, 3),
}));

const again = await train({ ...job, existingParams: result.params });
console.log(JSON.stringify({ loss: again.finalLoss }));
await train({ ...job, examples: [] }).catch((error) => console.log(JSON.stringify({ refused: error.message })));
