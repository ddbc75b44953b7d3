export default function Catalog() {
    return null;
}
