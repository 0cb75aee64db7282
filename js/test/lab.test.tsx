import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import example from "../../tests/contract/turn.v1.json";
import { labIsHere, livePads, offerPad } from "../core/pads";
import file from "../../tests/contract/example.turn.json";
import extensions from "../lab";
import { soundsIn, textOf } from "../lab/sound";

// Lumino's widgets name this class when they are loaded, and jsdom has none.
vi.hoisted(() => vi.stubGlobal("DragEvent", MouseEvent));

const TURN = "application/vnd.cellvoice.turn.v1+json";
const PAD = "application/vnd.cellvoice.pad.v1+json";
const SOUND = "data:audio/mpeg;base64,AAAA";
const STATE = {
  model: "gpt-audio",
  voice: "alloy",
  badge: "",
  notice: "",
  price: { input_usd_per_s: 0, output_usd_per_s: 0 },
  cost_usd: 0,
  journal: "",
};

type Data = IRenderMime.IMimeModel["data"];

const resolver: IRenderMime.IResolver = {
  resolveUrl: (url) => Promise.resolve(`folder/${url}`),
  getDownloadUrl: (path) => Promise.resolve(`http://localhost/files/${path}`),
};

let open: IRenderMime.IRenderer[];
/** The address of every sound that was given to an audio element. */
let played: string[];

beforeEach(() => {
  open = [];
  played = [];
  // jsdom plays nothing: what is asked of the element is what can be seen.
  vi.spyOn(HTMLMediaElement.prototype, "play").mockImplementation(function (this: HTMLMediaElement) {
    played.push(this.src);
    return Promise.resolve();
  });
  vi.spyOn(HTMLMediaElement.prototype, "pause").mockImplementation(() => undefined);
  vi.spyOn(HTMLMediaElement.prototype, "load").mockImplementation(() => undefined);
});

afterEach(() => {
  void act(() => {
    for (const renderer of open) renderer.dispose();
  });
  vi.restoreAllMocks();
});

function renderer(mime: string): IRenderMime.IRenderer {
  const extension = extensions.find(({ rendererFactory }) => rendererFactory.mimeTypes.includes(mime));
  if (extension === undefined) throw new Error(`nothing shows ${mime}`);
  const made = extension.rendererFactory.createRenderer({
    mimeType: mime,
    sanitizer: { sanitize: (dirty) => dirty },
    resolver,
    linkHandler: null,
    latexTypesetter: null,
  });
  open.push(made);
  return made;
}

async function render(mime: string, data: Data, into = renderer(mime)): Promise<IRenderMime.IRenderer> {
  const model: IRenderMime.IMimeModel = { trusted: false, data, metadata: {}, setData: () => undefined };
  await act(() => into.renderModel(model));
  return into;
}

function playAll(node: HTMLElement): void {
  void act(() => {
    for (const button of node.querySelectorAll<HTMLButtonElement>('button[aria-label="Play the reply"]'))
      button.click();
  });
}

function turn(id: string, href: string | null = null) {
  return { ...example, id, reply: { ...example.reply, sound: { ...example.reply.sound, href } } };
}

describe("a saved turn in JupyterLab", () => {
  it("is shown as a card, with the sound of the HTML of the same output, without trust", async () => {
    const html = ["<p>The reply</p>\n", `<audio controls src="${SOUND}"></audio>`];
    const { node } = await render(TURN, { [TURN]: example, "text/html": html, "text/plain": "Paris." });
    expect(node.querySelector(".cv-text")?.textContent).toBe("The capital of France is Paris.");
    playAll(node);
    expect(played).toEqual([SOUND]);
    expect(extensions.every(({ rendererFactory }) => rendererFactory.safe)).toBe(true);
  });

  it("takes a sound that lies beside the notebook", async () => {
    const { node } = await render(TURN, { [TURN]: turn("a", "talk_audio/ab.mp3"), "text/html": "" });
    playAll(node);
    expect(played).toEqual(["http://localhost/files/folder/talk_audio/ab.mp3"]);
  });

  it.each([
    "https://evil.example/x.mp3",
    "//evil.example/x.mp3",
    "/etc/passwd",
    "file:///x",
    "JavaScript:alert(1)",
    "\\\\x",
  ])("does not ask %s for its sound", async (address) => {
    const html = `<audio src="${address}"></audio>`;
    const { node } = await render(TURN, { [TURN]: turn("a", address), "text/html": html });
    expect(node.querySelector<HTMLButtonElement>(".cv-play")?.disabled).toBe(true);
    const { node: inline } = await render(TURN, { [TURN]: turn("b"), "text/html": html });
    expect(inline.querySelector<HTMLButtonElement>(".cv-play")?.disabled).toBe(true);
  });

  it("never puts the HTML of the output into the page", async () => {
    const html = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script><audio src="${SOUND}"></audio>`;
    const { node } = await render(TURN, { [TURN]: example, "text/html": html });
    expect(node.querySelectorAll("img, script, audio")).toHaveLength(0);
    expect(Object.hasOwn(window, "pwned")).toBe(false);
  });

  it("that cannot be read is shown as its text, with the reason", async () => {
    const data = { [TURN]: { ...example, version: 7 }, "text/plain": "Paris, as text." };
    const { node } = await render(TURN, data);
    expect(node.textContent).toContain("Paris, as text.");
    expect(node.textContent).toContain("saved in form 7, and this cellvoice reads form 1");
  });

  it("is replaced by what the kernel sends next, and leaves nothing when it goes", async () => {
    const shown = await render(TURN, { [TURN]: example, "text/html": "" });
    await render(TURN, { [TURN]: { ...example, state: "stopped" }, "text/html": "" }, shown);
    expect(shown.node.querySelectorAll(".cv-card")).toHaveLength(1);
    expect(shown.node.textContent).toContain("stopped");
    const { node } = shown;
    void act(() => shown.dispose());
    expect(node.childElementCount).toBe(0);
  });
});

describe("a turn in a file of its own", () => {
  const WORDS = "data:audio/mpeg;base64,BBBB";
  const holding = (sound: unknown, said: unknown) => ({ [TURN]: { ...example, sound, said } as never });
  const playRecordings = (node: HTMLElement): void =>
    void act(() => {
      for (const button of node.querySelectorAll<HTMLButtonElement>(
        'button[aria-label="Play the recording"]',
      ))
        button.click();
    });

  it("is opened by its ending, as its card", () => {
    const extension = extensions.find(({ id }) => id === "cellvoice:turn");
    const { fileTypes = [], documentWidgetFactoryOptions: options } = extension ?? {};
    expect(fileTypes.flatMap(({ extensions: endings }) => endings)).toEqual([".turn.json"]);
    expect([options].flat()[0]?.defaultFor).toEqual(["cellvoice-turn"]);
  });

  it("is read as the kernel writes it", async () => {
    const { node } = await render(TURN, { [TURN]: file });
    playAll(node);
    playRecordings(node);
    expect(node.querySelector(".cv-text")?.textContent).toBe(file.reply.text);
    expect(played).toEqual([file.sound, file.said[1]]);
  });

  it("has its sounds in itself: the reply's, and those of what was said", async () => {
    const { node } = await render(TURN, holding(SOUND, [null, WORDS]));
    playAll(node);
    playRecordings(node);
    expect(played).toEqual([SOUND, WORDS]);
  });

  it.each(["https://evil.example/x.mp3", "data:text/html;base64,AAAA", 7, null])(
    "does not ask %s for a sound",
    async (address) => {
      const { node } = await render(TURN, holding(address, [null, address]));
      playAll(node);
      playRecordings(node);
      expect(played).toEqual([]);
    },
  );
});

describe("a saved pad in JupyterLab", () => {
  const saved = (turns: readonly unknown[]): Data => ({
    [PAD]: { version: 1, pad: "k3", session: "s", state: STATE, turns } as never,
    "text/plain": "You: hi",
  });

  it("shows the conversation, each reply with its own sound", async () => {
    const html = `<audio src="${SOUND}1"></audio><audio src="${SOUND}2"></audio>`;
    const quiet = { ...example, id: "q", reply: { ...example.reply, sound: null } };
    const data = {
      ...saved([turn("a"), quiet, turn("b", "talk_audio/b.mp3"), turn("c")]),
      "text/html": html,
    };
    const { node } = await render(PAD, data);
    expect(node.querySelectorAll("article")).toHaveLength(4);
    expect(node.textContent).toContain("This is the saved conversation; run the cell to go on talking.");
    playAll(node);
    expect(played).toEqual([`${SOUND}1`, "http://localhost/files/folder/talk_audio/b.mp3", `${SOUND}2`]);
  });

  it("is the live pad while its widget is on the page, through every update of the output", async () => {
    const mounted: string[] = [];
    const live = {
      mount: (el: HTMLElement) => {
        mounted.push("here");
        el.textContent = "live";
        return () => {
          mounted.push("gone");
          el.textContent = "";
        };
      },
    };
    const withdraw = offerPad("k3", live);
    const shown = await render(PAD, saved([turn("a")]));
    expect(shown.node.textContent).toBe("live");
    await render(PAD, saved([turn("a"), turn("b")]), shown);
    expect(mounted).toEqual(["here"]);
    await act(() => withdraw());
    await vi.waitFor(() => expect(shown.node.querySelectorAll("article")).toHaveLength(2));
    expect(mounted).toEqual(["here", "gone"]);
    let again = (): void => undefined;
    await act(() => {
      again = offerPad("k3", live);
    });
    expect(shown.node.textContent).toBe("live");
    void act(() => shown.dispose());
    expect(mounted).toEqual(["here", "gone", "here", "gone"]);
    again();
  });

  it("goes on playing when another pad comes or goes", async () => {
    const shown = await render(PAD, { ...saved([turn("a")]), "text/html": `<audio src="${SOUND}"></audio>` });
    const card = shown.node.querySelector("article");
    await act(() => offerPad("other", { mount: () => () => undefined })());
    expect(shown.node.querySelector("article")).toBe(card);
    expect(livePads().pads.size).toBe(0);
  });

  it("that cannot be read is shown as its text", async () => {
    const { node } = await render(PAD, { [PAD]: { version: 1 }, "text/plain": "You: hi" });
    expect(node.textContent).toContain("You: hi");
    expect(node.textContent).toContain("pad.pad should be text");
  });

  it("can be asked for: the module says that it is here", () => {
    expect(labIsHere()).toBe(true);
  });
});

describe("the other forms of an output", () => {
  it("may be split into lines", () => {
    expect(textOf({ "text/plain": ["a\n", "b"] }, "text/plain")).toBe("a\nb");
    expect(textOf({}, "text/plain")).toBe("");
  });

  it("give only sound that lies in the file", () => {
    expect(
      soundsIn(`<audio src="${SOUND}"></audio><audio src="data:text/html,x"></audio><audio></audio>`),
    ).toEqual([SOUND, null]);
  });

  it("are read without an audio element, which a browser keeps with all its document", () => {
    const parse = vi.spyOn(DOMParser.prototype, "parseFromString");
    expect(soundsIn(`<AUDIO controls src="${SOUND}"></AUDIO>`)).toEqual([SOUND]);
    expect(parse.mock.results[0]?.value).toBeInstanceOf(Document);
    expect((parse.mock.results[0]?.value as Document).querySelector("audio")).toBeNull();
    parse.mockRestore();
  });
});
