import { checkCommands, type EvidenceFile } from "@ashlar/views";
import { useState, type ReactElement } from "react";
import { download } from "../data/api.ts";

/** What the node has answered, as it came, and how to judge it without this program. */
export function EvidenceFiles({
  path,
  files,
}: {
  readonly path: string;
  readonly files: readonly EvidenceFile[];
}): ReactElement {
  const [problem, setProblem] = useState<string>();
  const get = (name: string): void => {
    setProblem(undefined);
    download(`${path}/evidence/${encodeURIComponent(name)}`, name).catch((error: unknown) => setProblem(String(error)));
  };
  return (
    <section>
      <h2>Evidence</h2>
      <p className="quiet">
        What the node has answered, byte for byte. Save the files into one directory; the commands below judge them
        without Ashlar.
      </p>
      {problem !== undefined && <p role="alert">{problem}</p>}
      <table className="files">
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col">Bytes</th>
            <th scope="col">SHA-256</th>
          </tr>
        </thead>
        <tbody>
          {files.map(({ name, sizeBytes, sha256 }) => (
            <tr key={name}>
              <th scope="row">
                <button type="button" className="plain" onClick={() => get(name)}>
                  {name}
                </button>
              </th>
              <td className="number">{sizeBytes.toLocaleString("en")}</td>
              <td>
                <code>{sha256}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>Check it yourself</h3>
      <p className="quiet">With tpm2-tools, jq and xxd, in that directory. No TPM is needed.</p>
      <ol className="commands">
        {checkCommands(files.map(({ name }) => name)).map(({ what, command }) => (
          <li key={what}>
            <p>{what}:</p>
            <pre tabIndex={0} aria-label={what}>
              {command}
            </pre>
          </li>
        ))}
      </ol>
    </section>
  );
}
