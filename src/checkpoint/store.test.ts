import { storeSuite } from "../../test/store.suite.js";
import { memoryStore } from "./store.js";

storeSuite("memoryStore", async () => ({ store: memoryStore() }));
