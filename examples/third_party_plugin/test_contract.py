from mgrkit.testing import contract

test_contract = contract.checks("neighbours")
