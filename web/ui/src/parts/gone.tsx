// Callboard does not answer: what is shown is old.
export function Gone() {
    return (
        <div className="cb-gone" role="alert">
            Callboard does not answer. What you see is from before; it is asked again by itself.
        </div>
    );
}
