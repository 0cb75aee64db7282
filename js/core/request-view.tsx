import { CopyButton } from "./copy-button";
import { JsonTree } from "./json-tree";
import type { Json } from "./settings";

/** The request as it was sent, sound shown as its length. */
export function RequestView({ request }: { request: Json }) {
  return (
    <div class="cv-json">
      <JsonTree name="request" value={request} depth={2} />
      <CopyButton name="Copy as JSON" text={() => JSON.stringify(request, null, 2)} />
    </div>
  );
}
