// Searching, choosing, sorting and turning pages in tables whose rows are all in the document already.
(function () {
    "use strict";
    const PAGE = 100;
    const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
    const ranks = { error: 3, no: 3, warning: 2, unknown: 2, info: 1, yes: 1 };

    function make(name, properties, children) {
        const element = Object.assign(document.createElement(name), properties);
        element.append(...(children || []));
        return element;
    }

    function setUp(section) {
        const table = section.querySelector("table.list");
        const body = table.tBodies[0];
        const frame = table.parentElement;
        const rows = Array.from(body.rows, (row, index) => ({
            row, index,
            kind: row.dataset.kind, rule: row.dataset.rule || "", state: row.dataset.state || "open",
            text: row.textContent.toLowerCase(),
        }));
        let found = rows;
        let page = 0;
        let words = [];
        const off = new Set();
        let rule = "";
        let state = "";

        const status = make("p", { className: "status" });
        status.setAttribute("role", "status");
        const previous = make("button", { type: "button", textContent: "Previous" });
        const next = make("button", { type: "button", textContent: "Next" });
        const where = make("span");
        const pager = make("nav", { className: "pager" }, [previous, where, next]);
        pager.setAttribute("aria-label", "Pages of " + section.dataset.what);
        const empty = make("p", { className: "empty", textContent: "Nothing matches.", hidden: true });

        function show() {
            const pages = Math.max(1, Math.ceil(found.length / PAGE));
            page = Math.min(page, pages - 1);
            const visible = found.slice(page * PAGE, (page + 1) * PAGE).map((item) => item.row);
            const shown = new Set(visible);
            for (const row of body.rows)
                row.hidden = !shown.has(row);
            status.textContent = found.length.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " " + section.dataset.what;
            where.textContent = "Page " + (page + 1) + " of " + pages.toLocaleString("en");
            pager.hidden = pages === 1;
            previous.disabled = page === 0;
            next.disabled = page === pages - 1;
            empty.hidden = found.length > 0;
        }

        function fits(item) {
            return !off.has(item.kind) && (!rule || item.rule === rule) && (!state || item.state === state) &&
                words.every((word) => item.text.includes(word));
        }

        function choose() {
            found = rows.filter(fits);
            page = 0;
            show();
        }

        function turn(by) {
            page += by;
            show();
            frame.scrollIntoView({ block: "start" });
        }

        // ---- controls: made here, so that there are none where there is no script ----

        const id = section.id;
        function field(label, control, grow) {
            control.id = id + "-" + label.toLowerCase().replace(/\W+/g, "-");
            return make("div", { className: grow ? "field grow" : "field" }, [make("label", { htmlFor: control.id, textContent: label }), control]);
        }

        function options(values, all) {
            return [make("option", { value: "", textContent: all })].concat(
                values.map((value) => make("option", { value: value, textContent: value })));
        }

        const search = make("input", { type: "search", autocomplete: "off", spellcheck: false });
        search.addEventListener("input", () => {
            words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
            choose();
        });

        const controls = make("div", { className: "controls" }, [field("Search", search, true)]);
        controls.setAttribute("role", "search");
        controls.setAttribute("aria-label", "Choose " + section.dataset.what);

        const kinds = Array.from(new Set(rows.map((item) => item.kind))).sort((a, b) => ranks[b] - ranks[a]);
        const checks = make("div", { className: "checks" }, kinds.map((kind) => {
            const box = make("input", { type: "checkbox", checked: true, value: kind });
            box.addEventListener("change", () => {
                box.checked ? off.delete(kind) : off.add(kind);
                choose();
            });
            return make("label", {}, [box, kind]);
        }));
        controls.append(make("fieldset", {}, [make("legend", { textContent: section.dataset.kinds }), checks]));

        const rules = Array.from(new Set(rows.map((item) => item.rule))).filter(Boolean).sort(collator.compare);
        const rulePicker = make("select", {}, options(rules, "all rules"));
        rulePicker.addEventListener("change", () => {
            rule = rulePicker.value;
            choose();
        });
        if (rules.length > 1)
            controls.append(field("Rule", rulePicker));

        const states = Array.from(new Set(rows.map((item) => item.state))).sort();
        const statePicker = make("select", {}, options(states, "all"));
        statePicker.addEventListener("change", () => {
            state = statePicker.value;
            choose();
        });
        if (states.length > 1) {
            controls.append(field("State", statePicker));
            if (states.includes("silenced") && states.includes("open"))
                statePicker.value = state = "open";
        }

        previous.addEventListener("click", () => turn(-1));
        next.addEventListener("click", () => turn(1));

        // ---- sorting ----

        function keyOf(item, column) {
            const cell = item.row.cells[column];
            return cell.dataset.kind ? String(ranks[cell.dataset.kind]) : cell.textContent;
        }

        function sortBy(header, column) {
            const isUp = header.getAttribute("aria-sort") !== "ascending";
            for (const other of table.tHead.rows[0].cells)
                other.removeAttribute("aria-sort");
            header.setAttribute("aria-sort", isUp ? "ascending" : "descending");
            for (const item of rows)
                item.key = keyOf(item, column);
            rows.sort((a, b) => (isUp ? 1 : -1) * collator.compare(a.key, b.key) || a.index - b.index);
            body.append(...rows.map((item) => item.row));
            choose();
        }

        Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
            const button = make("button", { type: "button", textContent: header.textContent });
            button.addEventListener("click", () => sortBy(header, column));
            header.replaceChildren(button);
        });

        frame.before(controls, status);
        frame.append(empty);
        frame.after(pager);
        // On paper there are no pages to turn: all that was chosen.
        window.addEventListener("beforeprint", () => {
            for (const item of found)
                item.row.hidden = false;
        });
        window.addEventListener("afterprint", show);
        choose();
        return (name) => {
            rulePicker.value = rule = name;
            statePicker.value = state = "";
            choose();
        };
    }

    const choosers = Array.from(document.querySelectorAll("section[data-what]"), setUp);
    const byRule = choosers[choosers.length - 1];
    if (!byRule)
        return;
    for (const link of document.querySelectorAll("a[data-rule]"))
        link.addEventListener("click", () => byRule(link.dataset.rule));
}());
