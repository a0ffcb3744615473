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
            slider.key: mo.ui.slider(
                steps=slider.steps,
                value=slider.value,
                label=slider.label,
                show_value=True,
                full_width=True,
            )
            for slider in sliders(scenario)
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
    now = answer(scenario, moves.value, modes.value)
    return (now,)


@app.cell
def _page(before, layout, mo, modes, moves, now, scenario):
    saved = mo.download(now.scenario, filename="what-if.toml", label="This scenario as a file")
    mo.Html(layout.page(scenario.title, moves.elements.values(), modes, saved, now, before))
    return


if __name__ == "__main__":
    app.run()
