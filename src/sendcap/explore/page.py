"""The what-if page itself, a marimo app; see `sendcap.explore.server`."""

import marimo

app = marimo.App(app_title="sendcap: what if?", width="full", html_head_file="head.html")


@app.cell
def _start():
    import marimo as mo

    from sendcap.explore import layout
    from sendcap.explore.answer import answer
    from sendcap.explore.server import shown
    from sendcap.explore.sliders import sliders

    scenario = shown()
    before = answer(scenario, {})
    return answer, before, layout, mo, scenario, sliders


@app.cell
def _controls(mo, scenario, sliders):
    moves = mo.ui.dictionary(
        {
            its.key: mo.ui.slider(
                steps=its.steps,
                value=its.value,
                label=its.label,
                show_value=True,
                full_width=True,
            )
            for its in sliders(scenario)
        }
    )
    modes = mo.ui.radio(
        {"both": ("without-efs", "efs"), "without EFS": ("without-efs",), "with EFS": ("efs",)},
        value="both",
        inline=True,
    )
    return modes, moves


@app.cell
def _answer(answer, modes, moves, scenario):
    found = answer(scenario, moves.value, modes.value)
    return (found,)


@app.cell
def _page(before, found, layout, mo, modes, moves, scenario):
    saved = mo.download(found.scenario, filename="what-if.toml", label="This scenario as a file")
    mo.Html(layout.page(scenario.title, moves.elements.values(), modes, saved, found, before))
    return


if __name__ == "__main__":
    app.run()
