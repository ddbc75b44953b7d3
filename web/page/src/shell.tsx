// What stands around each view: navigation, scope, time.
import { Suspense } from "react";
import { HostProvider, keptParams } from "@callboard/ui";
import { useAddressBar, addressOf } from "./address_bar";
import { host } from "./host";
import { pageOf, PAGES } from "./pages";

export function Shell() {
    const place = useAddressBar();
    const { view: View, title } = pageOf(place.page);
    return (
        <HostProvider host={host} place={place}>
            <div className="cb-shell cb-root">
                <header className="cb-top">
                    <nav aria-label="Pages">
                        {PAGES.filter((page) => page.listed).map((page) => (
                            <a
                                key={page.name}
                                href={addressOf(page.name, keptParams(place.params))}
                                aria-current={page.name === place.page ? "page" : undefined}
                            >
                                {page.title}
                            </a>
                        ))}
                    </nav>
                </header>
                <main aria-label={title}>
                    <Suspense fallback={null}>
                        <View />
                    </Suspense>
                </main>
            </div>
        </HostProvider>
    );
}
