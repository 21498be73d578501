// The script of all portals. The server renders every page whole; this keeps it alive and lets it act.
import htmx from "htmx.org";
import { startActions } from "./script/actions.js";
import { startCopying } from "./script/copy.js";
import { startKeys } from "./script/keys.js";
import { startLive } from "./script/live.js";
import { startLogs } from "./script/logs.js";
import { startMenus } from "./script/menus.js";
import { startRefresh } from "./script/refresh.js";
import { startSmallThings } from "./script/small.js";
import { startTables } from "./script/tables.js";
import { startTheme } from "./script/theme-choice.js";
import { startTimes } from "./script/times.js";
import { startToasts } from "./script/toasts.js";

startTheme();
startSmallThings();
startToasts();
startTimes();
startCopying();
startMenus();
startTables();
startLogs();
startActions();
startKeys();
startRefresh(htmx);
startLive();
