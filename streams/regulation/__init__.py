"""What deadlines need of the world: public holidays and local time."""
