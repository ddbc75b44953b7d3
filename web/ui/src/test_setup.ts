import { afterEach } from "vitest";
import { cleanup, configure } from "@testing-library/react";

process.env.TZ = "UTC";
configure({ asyncUtilTimeout: 10_000 }); // the machine may be busy
afterEach(cleanup);
