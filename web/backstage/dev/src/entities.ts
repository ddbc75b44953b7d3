// The shop of `make demo` as entities of a catalogue.
const component = (name: string, annotations: Record<string, string>) => ({
    apiVersion: "backstage.io/v1alpha1",
    kind: "Component",
    metadata: { namespace: "default", name, annotations },
    spec: { type: "service", lifecycle: "production", owner: "team-shop", system: "shop" },
});

const ours = (name: string) =>
    component(name, {
        "callboard.dev/component": `acme/shop/${name}`,
        "callboard.dev/environment": "production",
    });

export const entities = [
    ...["web", "cart", "checkout", "inventory", "payment", "search"].map(ours),
    component("recommendations", {
        "openchoreo.io/namespace": "acme",
        "openchoreo.io/project": "shop",
        "openchoreo.io/component": "recommendations",
        "openchoreo.io/environment": "production",
    }),
    component("undescribed", {}),
    component("misspelt", { "callboard.dev/component": "shop/cart" }),
    component("two", { "callboard.dev/component": "acme/shop/cart, acme/shop/payment" }),
    {
        apiVersion: "backstage.io/v1alpha1",
        kind: "System",
        metadata: {
            namespace: "default",
            name: "shop",
            annotations: { "callboard.dev/project": "acme/shop" },
        },
        spec: { owner: "team-shop" },
    },
];
