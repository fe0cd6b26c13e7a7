import { storeSuite } from "../../test/suites/store.suite.js";
import { memoryStore } from "./store.js";

storeSuite("memoryStore", async () => ({ store: memoryStore() }));
