declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*?worklet" {
  const text: string;
  export default text;
}
