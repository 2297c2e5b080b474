from mgrkit.testing import contract

test_contract = contract.checks("pons", parameters={"epochs": 4, "filters": 4})
