from tests.engine.hosts.temporal.stage import Stage


async def test_a_workflow_calls_a_function_sleeps_and_returns(stage: Stage) -> None:
    stage.function("app.api:charge_card", "return {id = 'p' .. a.amount, status = 'ok'}")
    stage.workflow(
        "app:order",
        "local r, err = funcs.call('app.api:charge_card', a)\n time.sleep('50ms')\n return {id = r.id, error = err}",
    )
    assert await stage.value("app:order", {"amount": 5}) == {"id": "p5"}
