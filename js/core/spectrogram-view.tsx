import { useComputed } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PlayerPort } from "./ports";
import { spectrogramOf, type Spectrogram } from "./spectrogram";

const MOST_COLUMNS = 900;
/** Speech has little above this. */
const SHOWN_HZ = 8_000;

type Drawing =
  | { readonly kind: "waiting" }
  | { readonly kind: "gone" }
  | { readonly kind: "drawn"; readonly picture: Spectrogram };

/** The frequencies of a sound over its time; reckoned in the page from its samples, so also without a kernel. */
export function SpectrogramView({ player }: { player: PlayerPort }) {
  const [drawing, setDrawing] = useState<Drawing>({ kind: "waiting" });
  useEffect(() => {
    let wanted = true;
    player.samples().then(
      (samples) => {
        if (!wanted) return;
        if (samples === null || samples.pcm.length === 0) setDrawing({ kind: "gone" });
        else setDrawing({ kind: "drawn", picture: spectrogramOf(samples, MOST_COLUMNS) });
      },
      (error: unknown) => {
        console.error("[cellvoice] the sound could not be read for its spectrogram", error);
        if (wanted) setDrawing({ kind: "gone" });
      },
    );
    return () => void (wanted = false);
  }, [player]);
  if (drawing.kind === "gone")
    return <p class="cv-note">The sound is not here, so there is no spectrogram.</p>;
  return (
    <div class="cv-spectrogram">
      <div class="cv-hz cv-quiet" aria-hidden="true">
        <span>8 kHz</span>
        <span>4</span>
        <span>0</span>
      </div>
      {drawing.kind === "drawn" ? (
        <Picture picture={drawing.picture} player={player} />
      ) : (
        <div class="cv-canvas" />
      )}
    </div>
  );
}

function Picture({ picture, player }: { picture: Spectrogram; player: PlayerPort }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current !== null) paint(canvas.current, picture);
  }, [picture]);
  const place = useComputed(
    () => `left:${((100 * player.position_s.value) / Math.max(0.001, picture.duration_s)).toFixed(2)}%`,
  );
  return (
    <div class="cv-canvas">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`spectrogram, 0 to ${SHOWN_HZ / 1000} kHz over ${picture.duration_s.toFixed(1)} seconds`}
      />
      <i class="cv-needle" style={place} />
    </div>
  );
}

/** In the text's colour, as dense as it is loud: so it fits light and dark alike. */
function paint(canvas: HTMLCanvasElement, { columns, rows, cells, top_hz }: Spectrogram): void {
  const shown = Math.min(rows, Math.round((rows * SHOWN_HZ) / top_hz));
  canvas.width = columns;
  canvas.height = shown;
  const brush = canvas.getContext("2d");
  if (brush === null) return;
  const image = brush.createImageData(columns, shown);
  const [red, green, blue] = ink(canvas, brush);
  for (let column = 0; column < columns; column += 1) {
    for (let row = 0; row < shown; row += 1) {
      const at = ((shown - 1 - row) * columns + column) * 4;
      image.data[at] = red;
      image.data[at + 1] = green;
      image.data[at + 2] = blue;
      image.data[at + 3] = 255 * (cells[column * rows + row] ?? 0) ** 1.6;
    }
  }
  brush.putImageData(image, 0, 0);
}

/** The element's colour as the screen has it, whatever its notation. */
function ink(canvas: HTMLCanvasElement, brush: CanvasRenderingContext2D): readonly [number, number, number] {
  brush.fillStyle = getComputedStyle(canvas).color;
  brush.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = brush.getImageData(0, 0, 1, 1).data;
  brush.clearRect(0, 0, 1, 1);
  return [red, green, blue];
}
