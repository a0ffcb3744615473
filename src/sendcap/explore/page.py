"""The what-if page itself, a marimo app; see `sendcap.explore.server`."""

import marimo

app = marimo.App(app_title="sendcap: what if?", width="full", html_head_file="head.html")


@app.cell
def _start():
    import marimo as mo

    from sendcap.explore import layout
    from sendcap.explore.answer import BOTH
    from sendcap.explore.server import served
    from sendcap.explore.sliders import sliders

    answers = served()
    scenario = answers.scenario
    both = BOTH
    before = answers.answer({}, both)
    drawn = {"chart": ""}
    return answers, before, both, drawn, layout, mo, scenario, sliders


@app.cell
def _controls(both, mo, scenario, sliders):
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
        {"both": both, "without EFS": ("without-efs",), "with EFS": ("efs",)},
        value="both",
        inline=True,
    )
    return modes, moves


@app.cell
def _answer(answers, modes, moves):
    now = answers.answer(moves.value, modes.value)
    return (now,)


@app.cell
def _page(answers, before, drawn, layout, mo, modes, moves, now, scenario):
    saved = mo.download(now.scenario, filename="what-if.toml", label="This scenario as a file")
    controls = layout.Controls(moves.elements.values(), modes, saved)

    def _shown(busy):
        text = layout.page(scenario.title, controls, now, before, drawn["chart"], busy=busy)
        return mo.Html(text)

    if not answers.is_drawn(moves.value, modes.value):
        mo.output.replace(_shown(busy=True))
    drawn["chart"] = answers.chart(moves.value, modes.value)
    _shown(busy=False)
    return


if __name__ == "__main__":
    app.run()
