import type { Entity } from "@backstage/catalog-model";
import { expect, test } from "vitest";
import { isCallboardAvailable, nameOf, proposedAnnotation, targetsOf, wrongAnnotation } from "./target";

const entity = (annotations: Record<string, string>, kind = "Component", spec = {}): Entity => ({
    apiVersion: "backstage.io/v1alpha1",
    kind,
    metadata: { name: "cart", namespace: "acme", annotations },
    spec,
});
const names = (one: Entity) => targetsOf(one).map(nameOf);

test("a component is named by our annotation, several by a list, each once", () => {
    expect(names(entity({ "callboard.dev/component": " acme/shop/cart " }))).toEqual(["acme/shop/cart"]);
    expect(names(entity({ "callboard.dev/component": "a/b/c, a/b/d,a/b/c," }))).toEqual(["a/b/c", "a/b/d"]);
    expect(names(entity({ "callboard.dev/project": "acme/shop" }, "System"))).toEqual(["acme/shop"]);
});

test("OpenChoreo's annotations are taken where there is none of ours", () => {
    const theirs = {
        "openchoreo.io/namespace": "acme",
        "openchoreo.io/project": "shop",
        "openchoreo.io/component": "cart",
        "openchoreo.io/environment": "staging",
    };
    expect(targetsOf(entity(theirs))).toEqual([
        { namespace: "acme", project: "shop", component: "cart", environment: "staging" },
    ]);
    expect(names(entity({ ...theirs, "callboard.dev/component": "a/b/c" }))).toEqual(["a/b/c"]);
    const system = { "openchoreo.io/namespace": "acme", "openchoreo.io/project": "shop" };
    expect(names(entity(system, "System"))).toEqual(["acme/shop"]);
    expect(names(entity(system))).toEqual([]);
});

test("what cannot be read is told, what is absent is proposed", () => {
    const wrong = entity({ "callboard.dev/component": "shop/cart" });
    expect(isCallboardAvailable(wrong)).toBe(false);
    expect(wrongAnnotation(wrong)?.form).toBe("namespace/project/component");
    expect(wrongAnnotation(entity({}))).toBeUndefined();
    expect(proposedAnnotation(entity({}, "Component", { system: "default/shop" }))).toEqual({
        name: "callboard.dev/component",
        value: "acme/shop/cart",
    });
    expect(proposedAnnotation(entity({}, "System"))).toEqual({
        name: "callboard.dev/project",
        value: "acme/cart",
    });
});
