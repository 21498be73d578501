"""What a cloud is: models, states, rights, placement, addresses and the services that change them. No HTTP in here."""
