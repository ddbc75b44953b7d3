// What stands around each view.
import { allLooks, check, finish, open, shopPath, EMPTY } from "./kit.mjs";

await allLooks("overview", shopPath("", { project: undefined }));
await allLooks("without data", "/ui/", { server: EMPTY });

{
  const page = await open("/ui/nowhere", { settle: false, allow: [/404/] });
  check((await page.content()).includes("notFound") || page.url().includes("nowhere"), "an unknown page is told");
  await page.close();
}
await finish();
