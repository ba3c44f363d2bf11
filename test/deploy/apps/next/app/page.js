export default function Page() {
  return 'classify';
}
