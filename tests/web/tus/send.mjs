// The official client of tus for JavaScript, sending one file: what it says goes to standard output as one line of JSON.
// With `stop` it gives up after so many bytes and says where its upload is; with `url` it goes on there.
import { createReadStream, statSync } from "node:fs";
import { Upload } from "tus-js-client";

const { endpoint, token, path, title, chunk, stop, url } = JSON.parse(process.argv[2]);
const size = statSync(path).size;

const told = await new Promise((resolve) => {
  const upload = new Upload(createReadStream(path), {
    endpoint,
    uploadUrl: url ?? null,
    uploadSize: size,
    chunkSize: chunk,
    retryDelays: [100, 200, 400, 800, 1600, 3200, 3200, 3200],
    headers: { Authorization: `Bearer ${token}` },
    metadata: { filename: path.split("/").at(-1), title },
    onProgress: (sent) => {
      if (stop && sent >= stop) upload.abort().then(() => resolve({ stopped: sent, url: upload.url }));
    },
    onError: (error) => resolve({ error: String(error), status: error.originalResponse?.getStatus() ?? null }),
    onSuccess: () => resolve({ url: upload.url }),
  });
  upload.start();
});
console.log(JSON.stringify(told));
process.exit(0);
