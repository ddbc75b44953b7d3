export default function Cause() {
    return null;
}
