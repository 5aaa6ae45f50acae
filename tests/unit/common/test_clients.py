import pytest

from services.common.clients import target


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("campaign:9000", "campaign:9000"),
        ("dns:///campaign:9000", "dns:///campaign:9000"),
        ("10.0.0.1:9000, 10.0.0.2:9000", "ipv4:10.0.0.1:9000,10.0.0.2:9000"),
        ("[::1]:9000,[::2]:9000", "ipv6:[::1]:9000,[::2]:9000"),
    ],
)
def test_an_address_may_be_a_list(address: str, expected: str) -> None:
    assert target(address) == expected


@pytest.mark.parametrize("address", ["", " , ", "10.0.0.1:1,[::1]:1", "one:1,other:2"])
def test_other_lists_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"address|IPv4"):
        target(address)
