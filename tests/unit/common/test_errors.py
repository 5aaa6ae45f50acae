from services.common import errors


def test_every_class_has_a_reason_of_its_own() -> None:
    classes = errors.AppError.__subclasses__()
    assert len({cls.default_reason for cls in classes}) == len(classes) == 10


def test_an_error_carries_what_callers_act_on() -> None:
    error = errors.ResourceExhausted("slow down", reason="RATE", retry_after=2.5, limit="10")
    assert (str(error), error.reason, error.retry_after) == ("slow down", "RATE", 2.5)
    assert error.metadata == {"limit": "10"}


def test_a_reason_given_wins_over_the_class() -> None:
    assert errors.FailedPrecondition("no").reason == "STATE_INVALID"
    assert errors.FailedPrecondition("no", reason="X").reason == "X"


def test_invalid_names_field_value_and_what_is_accepted() -> None:
    error = errors.invalid("service_level", 0, "1 to 1000")
    assert error.message == "service_level is 0; accepted: 1 to 1000"
    assert error.violations == (errors.FieldViolation("service_level", "accepted: 1 to 1000"),)
    assert error.metadata == {"field": "service_level", "value": "0"}


def test_invalid_cuts_a_long_value() -> None:
    assert len(errors.invalid("name", "x" * 10_000, "less").message) < 300
