/** Hand a file to the browser's downloads. */
export function saveAs(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of the file when the click returns.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
